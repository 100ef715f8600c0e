"""The network that ships, and what is refused in its place."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.errors import ModelError
from models.emotions import EMOTIONS
from models.network import SHIPPED_MODEL, Network, with_temperature


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(SHIPPED_MODEL)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (21, 48, 48), np.uint8)


def test_gives_probabilities(network: Network, faces: np.ndarray) -> None:
    probabilities = network.predict(faces)
    assert probabilities.shape == (21, 7)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert network.predict(faces[:0]).shape == (0, 7)


def test_a_face_does_not_depend_on_its_neighbours(network: Network, faces: np.ndarray) -> None:
    together = network.predict(faces)
    alone = np.concatenate([network.predict(face[None]) for face in faces])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("count", [0, 1, 3, 8, 21])
def test_no_face_is_classified_that_is_not_there(
    network: Network,
    faces: np.ndarray,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A face costs as much as another, also one that fills a call up."""
    sizes: list[int] = []
    run = network._session.run

    def counted(faces: np.ndarray, outputs: Sequence[str]) -> list[np.ndarray]:
        sizes.append(len(faces))
        return run(faces, outputs)

    monkeypatch.setattr(network._session, "run", counted)
    network.predict(faces[:count])
    assert sum(sizes) == count


def test_labels_alone_may_come_in_another_order(tmp_path: Path, faces: np.ndarray) -> None:
    model = tmp_path / "own.tflite"
    shutil.copy(SHIPPED_MODEL, model)
    labels = {"labels": EMOTIONS[::-1], "temperature": temperatures_shipped()}
    model.with_suffix(".json").write_text(json.dumps(labels))
    reversed_labels, _ = Network(model, expressions=True).classify(faces)
    np.testing.assert_allclose(
        reversed_labels, Network(SHIPPED_MODEL).predict(faces)[:, ::-1], atol=1e-6
    )


def temperatures_shipped() -> dict[str, float]:
    card = json.loads(SHIPPED_MODEL.with_suffix(".json").read_text())
    return card["outputs"][0]["temperature_by_side"]


def test_temperature_above_one_makes_less_sure() -> None:
    sure = np.array([[0.9, 0.1, 0, 0, 0, 0, 0]])
    calibrated = with_temperature(sure, 2.0)
    assert calibrated[0, 0] == pytest.approx(0.75, abs=1e-3)
    assert calibrated.sum() == pytest.approx(1)


def test_of_small_faces_a_network_is_less_sure(tmp_path: Path, faces: np.ndarray) -> None:
    model = tmp_path / "own.tflite"
    shutil.copy(SHIPPED_MODEL, model)
    card = {"labels": EMOTIONS, "temperature": {"16": 3.0, "48": 1.0}}
    model.with_suffix(".json").write_text(json.dumps(card))
    network = Network(model)
    whole = network.predict(faces)
    sides_px = np.resize([8, 16, 32, 48, 200], len(faces))
    np.testing.assert_allclose(
        network.predict(faces, sides_px),
        with_temperature(whole, np.resize([3, 3, 2, 1, 1], len(faces))),
        atol=1e-6,
    )


def test_shipped_network_is_less_sure_of_small_faces(faces: np.ndarray) -> None:
    network = Network(SHIPPED_MODEL)
    small, whole = (
        network.predict(faces, np.full(len(faces), side_px)).max(axis=1) for side_px in (16, 48)
    )
    assert (small < whole).all()


@pytest.mark.parametrize(
    ("content", "card", "problem"),
    [
        (None, {"labels": EMOTIONS}, "no such model file"),
        (b"not a network", {"labels": EMOTIONS}, "cannot be opened"),
        (b"not a network", None, "its card beside it"),
        (b"not a network", {"labels": ["happy", "sad"]}, "labels must be"),
        (b"not a network", {"temperature": 1}, "input: missing; a card needs it"),
        (
            b"not a network",
            {"labels": EMOTIONS, "temperature": {"large": 1}},
            "temperature_by_side.large",
        ),
        (b"not a network", {"labels": EMOTIONS, "temperature": {"16": 0}}, "greater than 0"),
        (
            b"not a network",
            {"labels": EMOTIONS, "temperature": {}},
            "side: .* at least 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, content: bytes | None, card: dict[str, Any] | None, problem: str
) -> None:
    model = tmp_path / "own.tflite"
    if content is not None:
        model.write_bytes(content)
    if card is not None:
        model.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=problem) as caught:
        Network(model)
    assert "own." in str(caught.value)
