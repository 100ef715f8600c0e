"""Networks of any kind run as their cards say, and are refused where they do not fit them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from configs.errors import ModelError
from models.emotions import EMOTIONS
from models.network import SHIPPED_MODEL, Network
from tests.models.made import card_of, make_network, make_small, save, write_card

SOFTMAX = {"names": ["one", "two", "three"], "kind": "softmax", "logits": True}


def faces_of(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, *shape), np.uint8)


@pytest.mark.parametrize("colour", ["grey", "rgb", "bgr"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_faces_are_prepared_as_the_card_says(tmp_path: Path, colour: str, layout: str) -> None:
    channels = 1 if colour == "grey" else 3
    mean, std = [0.4, 0.5, 0.6][:channels], [0.2, 0.3, 0.25][:channels]
    taken = {"size": 16, "colour": colour, "layout": layout, "range": [-1, 1]}
    made = make_small(
        tmp_path / "own.onnx",
        card_of(input={**taken, "mean": mean, "std": std}),
        channels=channels,
        layout=layout,
    )
    faces = faces_of(11, 16, 16, 3) if channels == 3 else faces_of(11, 16, 16)
    values = faces.reshape(11, 16, 16, channels).astype(float).transpose(0, 3, 1, 2)
    if colour == "bgr":
        values = values[:, [2, 1, 0]]
    values = values / 127.5 - 1
    values = (values - np.reshape(mean, (-1, 1, 1))) / np.reshape(std, (-1, 1, 1))
    found = Network(made.path).predict(faces)
    np.testing.assert_allclose(found, made.linear(values), atol=1e-4)
    assert Network(made.path).predict(faces[:0]).shape == (0, 3)


def test_kinds_of_outputs(tmp_path: Path) -> None:
    outputs = [
        {"names": ["one", None, "two"], "kind": "softmax", "logits": True, "temperature": 2},
        {"names": ["three", "four"], "kind": "sigmoid", "logits": True},
        {"names": ["five"], "kind": "value", "range": [-0.5, 0.5]},
    ]
    made = make_small(tmp_path / "own.onnx", card_of(outputs=outputs), outputs=6, gain=9)
    faces = faces_of(9, 16, 16)
    linear = made.linear(faces[:, None] / 255)
    powers = np.exp(linear[:, :3] / 2)
    expected = np.column_stack([
        (powers / powers.sum(axis=1, keepdims=True))[:, [0, 2]],
        1 / (1 + np.exp(-linear[:, 3:5])),
        np.clip(linear[:, 5], -0.5, 0.5),
    ])  # fmt: skip
    assert (np.abs(linear[:, 5]) > 0.5).any()
    np.testing.assert_allclose(Network(made.path).predict(faces), expected, atol=1e-5)


def test_probabilities_that_the_network_gives_can_be_made_less_sure(tmp_path: Path) -> None:
    part = {**SOFTMAX, "logits": False, "temperature": 2}
    made = make_small(tmp_path / "own.onnx", card_of(outputs=[part]), softmax=True, gain=9)
    faces = faces_of(5, 16, 16)
    powers = np.exp(made.linear(faces[:, None] / 255) / 2)
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(Network(made.path).predict(faces), expected, atol=1e-5)


def test_outputs_may_be_in_several_tensors(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["means"]),
        helper.make_node("Flatten", ["means"], ["output"]),
        helper.make_node("Neg", ["output"], ["less"]),
    ]
    save(path, nodes, ["n", 1, 16, 16], ["n", 1], {})
    model = onnx.load(path)
    model.graph.output.append(helper.make_tensor_value_info("less", 1, ["n", 1]))
    onnx.save(model, path)
    value = {"kind": "value", "range": [-9, 9]}
    write_card(path, card_of(outputs=[{"names": ["one"], **value}]))
    with pytest.raises(ModelError, match=r"outputs\.0\.tensor: missing; .*: output, less; say"):
        Network(path)
    write_card(path, card_of(outputs=[{"names": ["one"], "tensor": "more", **value}]))
    with pytest.raises(ModelError, match=r"has no output more; it has output, less"):
        Network(path)
    parts = [{"names": [name], "tensor": name, **value} for name in ("less", "output")]
    write_card(path, card_of(outputs=parts))
    faces = faces_of(3, 16, 16)
    means = faces.mean(axis=(1, 2)) / 255
    np.testing.assert_allclose(
        Network(path).predict(faces), np.stack([-means, means], axis=1), atol=1e-6
    )


def test_a_network_that_takes_one_face_at_a_time(tmp_path: Path) -> None:
    fixed = make_small(tmp_path / "fixed.onnx", faces=1)
    faces = faces_of(5, 16, 16)
    expected = fixed.linear(faces[:, None] / 255)
    np.testing.assert_allclose(Network(fixed.path).predict(faces), expected, atol=1e-4)


def test_one_that_takes_a_set_number_of_faces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes 4 faces at a time; export it for one"):
        Network(make_small(tmp_path / "own.onnx", faces=4).path)


def test_one_that_says_that_it_takes_several_and_mixes_them_is_given_one(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["input", "mean"], ["less"]),
        helper.make_node("Add", ["less", "input"], ["twice"]),
        helper.make_node("GlobalAveragePool", ["twice"], ["means"]),
        helper.make_node("Flatten", ["means"], ["output"]),
    ]
    save(path, nodes, ["n", 1, 16, 16], ["n", 1], {})
    part = {"names": ["one"], "kind": "value", "range": [-9, 9]}
    write_card(path, card_of(outputs=[part]))
    faces = faces_of(4, 16, 16)
    found = Network(path).predict(faces)[:, 0]
    np.testing.assert_allclose(found, faces.mean(axis=(1, 2)) / 255, atol=1e-5)


def test_a_network_of_litert(tmp_path: Path) -> None:
    path = tmp_path / "own.tflite"
    shutil.copy(SHIPPED_MODEL, path)
    taken = {"size": 48, "colour": "grey", "layout": "NHWC", "range": [0, 255]}
    shipped = json.loads(SHIPPED_MODEL.with_suffix(".json").read_text())["outputs"][0]
    temperature = shipped["temperature_by_side"]["48"]
    part = {"names": EMOTIONS, "kind": "softmax", "logits": False, "temperature": temperature}
    write_card(path, card_of(input=taken, outputs=[part]))
    faces = faces_of(9, 48, 48)
    np.testing.assert_allclose(
        Network(path).predict(faces), Network(SHIPPED_MODEL).predict(faces), atol=1e-4
    )
    write_card(path, card_of(input={**taken, "size": 64}, outputs=[part]))
    with pytest.raises(ModelError, match=r"input is \(faces, 48, 48, 1\), own.json says .*64"):
        Network(path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"input": {"size": 24, "colour": "grey", "layout": "NCHW", "range": [0, 1]}},
         r"its input is \(faces, 1, 16, 16\), own\.json says \(faces, 1, 24, 24\): correct input"),
        ({"input": {"size": 16, "colour": "grey", "layout": "NHWC", "range": [0, 1]}},
         r"its input is \(faces, 1, 16, 16\), own\.json says \(faces, 16, 16, 1\)"),
        ({"input": {"size": 16, "colour": "rgb", "layout": "NCHW", "range": [0, 1]}},
         r"its input is \(faces, 1, 16, 16\), own\.json says \(faces, 3, 16, 16\)"),
        ({"outputs": [{"names": ["one", "two"], "kind": "value", "range": [0, 1]}]},
         r"output output for 1 faces is \(1, 3\), own\.json names \(1, 2\): correct outputs"),
        ({"outputs": [{**SOFTMAX, "logits": False}]}, r"no probabilities; .*\"logits\": true"),
    ],
)  # fmt: skip
def test_one_that_does_not_fit_its_card(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    made = make_small(tmp_path / "own.onnx", card_of(**changes), gain=9)
    with pytest.raises(ModelError, match=problem) as caught:
        Network(made.path)
    assert str(caught.value).startswith(str(made.path))


def test_what_is_no_network(tmp_path: Path) -> None:
    for name, problem in (
        ("own.onnx", "no such model file"), ("own.tflite", "no such model file"),
        ("own.pt", r"ends in \.onnx, \.tflite or \.keras"),
    ):  # fmt: skip
        write_card(tmp_path / name, card_of())
        with pytest.raises(ModelError, match=problem):
            Network(tmp_path / name)
    for name in ("own.onnx", "own.tflite"):
        for content in (b"", b"not a network", SHIPPED_MODEL.read_bytes()[:5000]):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(ModelError, match=f"own.{name[4:]}: ") as caught:
                Network(tmp_path / name)
            assert "\n" not in str(caught.value)


def test_operators_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    hidden = helper.make_graph(
        [helper.make_node("Secret", ["input"], ["inner"], domain="somebody")], "branch", [],
        [helper.make_tensor_value_info("inner", 1, None)],
    )  # fmt: skip
    plain = helper.make_graph(
        [helper.make_node("Identity", ["input"], ["other"])], "branch", [],
        [helper.make_tensor_value_info("other", 1, None)],
    )  # fmt: skip
    for nodes in (
        [helper.make_node("Secret", ["input"], ["output"], domain="somebody")],
        [helper.make_node("If", ["choice"], ["output"], then_branch=hidden, else_branch=plain)],
    ):
        weights = {"choice": np.array(False)}
        save(path, nodes, ["n", 1, 16, 16], ["n", 3], weights, ["somebody"])
        write_card(path, card_of())
        with pytest.raises(ModelError, match=r"operator somebody\.Secret .* is refused"):
            Network(path)


def outside(path: Path, location: str) -> None:
    """Moves the weights of a network to a place that it names."""
    model = onnx.load(path)
    weights = next(each for each in model.graph.initializer if each.name == "weights")
    content = numpy_helper.to_array(weights).tobytes()
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    weights.external_data.add(key="length", value=str(len(content)))
    place = path.parent / location
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    path.write_bytes(model.SerializeToString())


def test_weights_may_lie_beside_a_network_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    made = make_small(tmp_path / "in" / "own.onnx")
    faces = faces_of(3, 16, 16)
    expected, whole = made.linear(faces[:, None] / 255), Network(made.path).sha256
    outside(made.path, "own.bin")
    network = Network(made.path)
    np.testing.assert_allclose(network.predict(faces), expected, atol=1e-4)
    (made.path.parent / "own.bin").write_bytes(bytes(made.weights.nbytes))
    assert Network(made.path).sha256 not in (network.sha256, whole)

    (made.path.parent / "own.bin").unlink()
    with pytest.raises(ModelError, match=r"own\.bin, which is missing beside it"):
        Network(made.path)
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(made.weights.nbytes))
    (made.path.parent / "own.bin").symlink_to(secret)
    with pytest.raises(ModelError, match="outside of its folder, which is refused"):
        Network(made.path)
    for location in ("../secret.bin", str(secret)):
        make_small(made.path)
        outside(made.path, location)
        with pytest.raises(ModelError, match="outside of its folder, which is refused"):
            Network(made.path)


def test_hash_is_that_of_the_file(tmp_path: Path) -> None:
    first = make_network(
        tmp_path / "a.onnx", card_of(), channels=1, size=16, outputs=3, block=4, seed=1
    )
    second = make_network(
        tmp_path / "b.onnx", card_of(), channels=1, size=16, outputs=3, block=4, seed=2
    )
    assert Network(first.path).sha256 != Network(second.path).sha256
