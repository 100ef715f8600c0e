"""Networks of expressions with other inputs and labels stand in for the shipped one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.errors import ModelError
from models.emotions import EMOTIONS
from models.keras_model import as_tflite
from models.network import SHIPPED_MODEL, Network
from tests.models.made import Made, card_of, make_network, make_trap, write_card

LABELS = ["Anger", "contempt", "disgust", "fear", "Happiness", "neutral", "sad", "surprise"]
MAPPED = {"Anger": "angry", "Happiness": "happy"}
TAKEN = {
    "size": 32, "colour": "rgb", "layout": "NCHW", "range": [0, 1],
    "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
}  # fmt: skip


def affect_card(**changes: Any) -> dict[str, Any]:
    """Eight classes, then two values, in one tensor."""
    outputs = [
        {"names": LABELS, "kind": "softmax", "logits": True},
        {"names": ["valence", "arousal"], "kind": "value", "range": [-1, 1]},
    ]
    fields = {"input": TAKEN, "outputs": outputs, "emotions": MAPPED, "prefix": "va"}
    return card_of(**{**fields, **changes})


def make_affect(path: Path, **changes: Any) -> Made:
    card = affect_card(**changes)
    return make_network(path, card, channels=3, size=32, outputs=10, block=8, gain=4)


def test_labels_are_mapped_to_the_seven_and_others_are_columns(tmp_path: Path) -> None:
    made = make_affect(tmp_path / "affect.onnx")
    network = Network(made.path, expressions=True)
    assert [column.name for column in network.columns] == [
        "va_contempt",
        "va_valence",
        "va_arousal",
    ]
    faces = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), np.uint8)
    seven, others = network.classify(faces, np.full(9, 100.0))
    values = (faces / 255 - TAKEN["mean"]) / TAKEN["std"]
    linear = made.linear(values.transpose(0, 3, 1, 2))
    powers = np.exp(linear[:, :8])
    shares = powers / powers.sum(axis=1, keepdims=True)
    order = [LABELS.index(name) for name in (
        "Anger", "disgust", "fear", "Happiness", "neutral", "sad", "surprise",
    )]  # fmt: skip
    expected = shares[:, order] / (1 - shares[:, [1]])
    np.testing.assert_allclose(seven, expected, atol=1e-5)
    np.testing.assert_allclose(seven.sum(axis=1), 1, atol=1e-6)
    expected = np.column_stack([shares[:, 1], np.clip(linear[:, 8:], -1, 1)])
    np.testing.assert_allclose(others, expected, atol=1e-5)


def test_several_classes_may_be_one_expression(tmp_path: Path) -> None:
    made = make_affect(tmp_path / "affect.onnx", emotions={**MAPPED, "contempt": "disgust"})
    network = Network(made.path, expressions=True)
    assert [column.name for column in network.columns] == ["va_valence", "va_arousal"]
    faces = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    seven, _ = network.classify(faces, np.full(3, 100.0))
    outputs = Network(made.path).predict(faces)
    np.testing.assert_allclose(seven[:, 1], outputs[:, 1] + outputs[:, 2], atol=1e-6)


def test_the_seven_alone_leave_no_other_columns() -> None:
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    network = Network(SHIPPED_MODEL, expressions=True)
    seven, others = network.classify(faces, np.full(3, 48.0))
    np.testing.assert_array_equal(seven, Network(SHIPPED_MODEL).predict(faces))
    assert (network.columns, others.shape) == ([], (3, 0))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"emotions": {"Anger": "angry"}}, "no class for happy; say with emotions"),
        ({"outputs": [{"names": [f"n{n}" for n in range(10)], "kind": "softmax", "logits": True}],
          "emotions": {}}, "no class is one of angry, .*--network"),
        ({"outputs": [{"names": [*LABELS, "x", "y"], "kind": "sigmoid", "logits": True}]},
         "of the kind sigmoid; .* needs softmax"),
    ],
)  # fmt: skip
def test_what_is_no_network_of_expressions(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    made = make_affect(tmp_path / "affect.onnx", **changes)
    with pytest.raises(ModelError, match=rf"affect\.json: emotions: .*{problem}"):
        Network(made.path, expressions=True)


def test_an_onnx_network_with_labels_alone_is_told_of_cards(tmp_path: Path) -> None:
    made = make_affect(tmp_path / "affect.onnx")
    write_card(made.path, {"labels": list(EMOTIONS)})
    with pytest.raises(ModelError, match=r"affect\.json: .*missing; a card needs it"):
        Network(made.path, expressions=True)


def test_a_keras_network_with_a_card_keeps_its_numbers_and_columns(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", reason="the extra 'train' is not installed")
    keras.utils.set_random_seed(0)
    layers = keras.layers
    own = tmp_path / "my net.keras"
    network = keras.Sequential(
        [layers.Input((32, 32, 3)), layers.Conv2D(8, 3, 2), layers.Flatten(), layers.Dense(10)]
    )
    network.save(own)
    write_card(own, affect_card(input={**TAKEN, "layout": "NHWC"}, prefix=None))
    converted = as_tflite(own, tmp_path / "cache")
    assert converted.suffix == ".tflite"
    assert json.loads(converted.with_suffix(".json").read_text())["prefix"] == "my_net"
    faces = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), np.uint8)
    linear = network.predict((faces / 255 - TAKEN["mean"]) / TAKEN["std"], verbose=0)
    found = Network(converted)
    assert found.columns[-1].name == "my_net_arousal"
    expected = np.clip(linear[:, 8:], -1, 1)
    np.testing.assert_allclose(found.predict(faces)[:, 8:], expected, atol=1e-4)


def test_a_keras_network_with_code_in_it_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="the extra 'train' is not installed")
    own = tmp_path / "own.keras"
    trap = make_trap(own, 16, 3)
    write_card(own, card_of(input={**TAKEN, "size": 16, "layout": "NHWC"}))
    with pytest.raises(ModelError, match=r"own\.keras"):
        as_tflite(own, tmp_path / "cache")
    assert not trap.exists()
