"""A user's own Keras network runs, or is refused with the reason."""

import json
from pathlib import Path

import numpy as np
import pytest

from configs.errors import ModelError
from models.emotions import EMOTIONS
from models.keras_model import as_tflite, load_keras
from models.network import Network
from tests.models.made import make_trap
from tests.pipeline.command import run

keras = pytest.importorskip("keras", reason="the extra 'train' is not installed")


def write_model(path: Path, channels: int = 1, outputs: int = 7) -> Path:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    keras.Sequential(
        [
            layers.Input((48, 48, channels)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(outputs, activation="softmax"),
        ]
    ).save(path)
    path.with_suffix(".json").write_text(json.dumps({"labels": EMOTIONS}))
    return path


def test_converted_network_agrees_and_is_kept(tmp_path: Path) -> None:
    own = write_model(tmp_path / "own.keras")
    converted = as_tflite(own, tmp_path / "cache")
    faces = np.random.default_rng(0).integers(0, 256, (9, 48, 48), np.uint8)
    np.testing.assert_allclose(
        Network(converted).predict(faces), Network(own).predict(faces), atol=0.02
    )
    written = converted.stat().st_mtime_ns
    assert as_tflite(own, tmp_path / "cache").stat().st_mtime_ns == written


def test_run_takes_a_keras_network(tmp_path: Path, samples: dict[str, Path]) -> None:
    own = write_model(tmp_path / "own.keras")
    outcome = run(
        "run", samples["single_face.mp4"], "-o", tmp_path / "out", "--executor", "local",
        "--no-video", "--model", own,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    summary = json.loads((tmp_path / "out" / "single_face.mp4" / "summary.json").read_text())
    assert summary["model"]["name"].startswith("own-")
    assert summary["faces"] == summary["frames"]


@pytest.mark.parametrize(
    ("channels", "outputs", "problem"), [(3, 7, "48, 48, 3"), (1, 8, r"\(None, 8\)")]
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, channels: int, outputs: int, problem: str
) -> None:
    with pytest.raises(ModelError, match=problem):
        load_keras(write_model(tmp_path / "own.keras", channels, outputs))


def test_code_inside_a_network_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "own.keras"
    trap = make_trap(path, 48, 7)
    with pytest.raises(ModelError, match=r"own\.keras"):
        load_keras(path)
    assert not trap.exists()


def test_no_network_is_refused_by_the_command(tmp_path: Path, samples: dict[str, Path]) -> None:
    own = tmp_path / "own.keras"
    own.write_bytes(b"not a network")
    own.with_suffix(".json").write_text(json.dumps({"labels": EMOTIONS}))
    outcome = run("run", samples["single_face.mp4"], "-o", tmp_path / "out", "--model", own)
    assert outcome.returncode == 2
    assert "own.keras" in outcome.stderr
    assert "Traceback" not in outcome.stderr
