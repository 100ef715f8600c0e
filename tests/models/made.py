"""Small networks made for tests, with cards, and what they give worked out by themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Made:
    """A network that averages blocks of pixels and multiplies them with weights.

    Attributes:
        weights: (channels * (size / block) ** 2, k) float32, for values in the order C, H, W.
        bias: (k,) float32.
    """

    path: Path
    block: int
    weights: np.ndarray
    bias: np.ndarray

    def linear(self, values: np.ndarray) -> np.ndarray:
        """What the network gives before softmax, (m, k), for (m, channels, size, size) values."""
        m, channels, size, _ = values.shape
        side, block = size // self.block, self.block
        means = values.reshape(m, channels, side, block, side, block).mean(axis=(3, 5))
        return means.reshape(m, -1) @ self.weights.astype(np.float64) + self.bias


def make_network(
    path: Path,
    card: Mapping[str, Any],
    *,
    channels: int,
    size: int,
    outputs: int,
    block: int,
    layout: str = "NCHW",
    softmax: bool = False,
    gain: float = 1.0,
    faces: int | str = "faces",
    seed: int = 0,
) -> Made:
    """An ONNX network and its card."""
    rng = np.random.default_rng(seed)
    inner = channels * (size // block) ** 2
    weights = (rng.normal(0, gain, (inner, outputs)) / np.sqrt(inner)).astype(np.float32)
    bias = rng.normal(0, 0.1, outputs).astype(np.float32)
    shape = [faces, channels, size, size] if layout == "NCHW" else [faces, size, size, channels]
    first = "input" if layout == "NCHW" else "turned"
    nodes = [
        helper.make_node(
            "AveragePool", [first], ["means"], kernel_shape=[block] * 2, strides=[block] * 2
        ),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["linear" if softmax else "output"]),
    ]
    if layout == "NHWC":
        nodes.insert(0, helper.make_node("Transpose", ["input"], ["turned"], perm=[0, 3, 1, 2]))
    if softmax:
        nodes.append(helper.make_node("Softmax", ["linear"], ["output"], axis=1))
    save(
        path, nodes, shape, [faces, outputs],
        {"weights": weights, "bias": bias},
    )  # fmt: skip
    write_card(path, card)
    return Made(path, block, weights, bias)


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    taken: Sequence[int | str],
    given: Sequence[int | str],
    weights: Mapping[str, np.ndarray],
    domains: Sequence[str] = (),
) -> None:
    graph = helper.make_graph(
        nodes, "made",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, given)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )  # fmt: skip
    versions = [helper.make_opsetid("", 17), *(helper.make_opsetid(name, 1) for name in domains)]
    onnx.save(helper.make_model(graph, opset_imports=versions, ir_version=9), path)


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    path.with_suffix(".json").write_text(json.dumps(card))


def card_of(**changes: Any) -> dict[str, Any]:
    """A card of a network that takes small grey faces and gives three values."""
    return {
        "input": {"size": 16, "colour": "grey", "layout": "NCHW", "range": [0, 1]},
        "crop": {"align": "fer2013"},
        "outputs": [{"names": ["one", "two", "three"], "kind": "value", "range": [-9, 9]}],
        "licence": "CC0",
        "source": "made for a test",
        **changes,
    }


def make_small(path: Path, card: Mapping[str, Any] | None = None, **changes: Any) -> Made:
    """The network of ``card_of``."""
    fields = {"channels": 1, "size": 16, "outputs": 3, "block": 4, **changes}
    return make_network(path, card or card_of(), **fields)


def make_trap(path: Path, size: int, outputs: int) -> Path:
    """Write a Keras network with code in it; returns the file that the code makes where it runs."""
    import keras

    trap = path.with_name("trap")

    def spring(x: Any) -> Any:
        trap.touch()
        return x[:, 0, :outputs, 0]

    inputs = keras.Input((size, size, 1))
    keras.Model(inputs, keras.layers.Lambda(spring)(inputs)).save(path)
    trap.unlink()
    return trap
