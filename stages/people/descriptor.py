"""Describe a face by 128 numbers, which are close to each other for the same person.

dlib's residual network (King, "High quality face recognition with deep metric learning", 2017;
public domain), for which ONNX Runtime takes a tenth of dlib's time. The weights come in the package
``face_recognition_models``, in dlib's own format: layer by layer, in order.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.onnx_file import onnx_session, packaged_weights

if TYPE_CHECKING:
    import onnx

WEIGHTS = "face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"

SIDE_PX, SIZE = 150, 128
"""Of the picture of a face, and of its descriptor."""

MEAN_RGB, CONTRAST = (122.782, 117.001, 104.298), 1 / 256
"""Taken away from a picture; what remains is multiplied."""

WIDTHS = (32, 32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)
"""Channels before, between and after the residual blocks."""

STRIDES = (1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 2, 1, 1, 2)
"""Of the residual blocks."""

Constant = NDArray[np.float32] | NDArray[np.int64]
"""In a network."""


def descriptor(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The descriptor of a face: (128,) float64, for (150, 150, 3) uint8 RGB."""
    values = (picture - np.array(MEAN_RGB, np.float32)) * np.float32(CONTRAST)
    (descriptors,) = _loaded_network().run(None, {"face": values.transpose(2, 0, 1)[None]})
    return np.asarray(descriptors[0], np.float64)


@cache
def _loaded_network() -> Any:
    """ONNX Runtime's session: one for all videos of a process, as threads may share it."""
    model = _network(_Weights(packaged_weights(*WEIGHTS).read_bytes()))
    return onnx_session(model.SerializeToString())


class _Weights:
    """Reads a network in dlib's format.

    The name of a layer comes first, then its integers, then its parameters. An integer is a byte
    with the number of its bytes, and these, the lowest first.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def next_layer(self, name: bytes, header: int = 0) -> NDArray[np.float32]:
        """All parameters of the next layer of that name, float32, in one dimension.

        Args:
            header: bytes between its name and them.
        """
        self._at = self._data.index(name, self._at) + len(name) + header
        _, *shape = [self._integer() for _ in range(5)]  # The version of the format comes first.
        values = np.frombuffer(self._data, "<f4", prod(shape), self._at)
        self._at += values.nbytes
        return values

    def _integer(self) -> int:
        start = self._at + 1
        self._at = start + self._data[self._at]
        return int.from_bytes(self._data[start : self._at], "little")

    def convolution(
        self, channels: int, width: int, side: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Filters (width, channels, side, side) and biases (width,) of the next convolution, with
        the scaling that follows it."""
        filters, biases = np.split(self.next_layer(b"con_4"), [-width])
        factors, shifts = np.split(self.next_layer(b"affine_"), 2)
        filters = filters.reshape(width, channels, side, side) * factors[:, None, None, None]
        return filters, biases * factors + shifts


def _network(weights: _Weights) -> onnx.ModelProto:
    """The network as an ONNX model, from ``face`` to ``descriptor``."""
    import onnx
    from onnx import helper, numpy_helper

    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def add(kind: str, *inputs: str | Constant, output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        names = [each if isinstance(each, str) else constant(each) for each in inputs]
        output = output or f"values{len(nodes)}"
        nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output

    def constant(values: Constant) -> str:
        constants.append(numpy_helper.from_array(values, f"constant{len(constants)}"))
        return str(constants[-1].name)

    def convolution(values: str, channels: int, width: int, side: int, stride: int) -> str:
        filters, biases = weights.convolution(channels, width, side)
        pads = [side // 2 if stride == 1 else 0] * 4
        return add("Conv", values, filters, biases, strides=[stride] * 2, pads=pads)

    def padded(values: str, axis: int, by: int) -> str:
        """With zeros at the end of an axis."""
        pads = np.zeros(8, np.int64)
        pads[4 + axis] = by
        return add("Pad", values, pads) if by else values

    values = add("Relu", convolution("face", 3, WIDTHS[0], side=7, stride=2))
    values = add("MaxPool", values, kernel_shape=[3, 3], strides=[2, 2])
    side = (((SIDE_PX - 7) // 2 + 1) - 3) // 2 + 1
    for (channels, width), stride in zip(pairwise(WIDTHS), STRIDES, strict=True):
        inner = add("Relu", convolution(values, channels, width, 3, stride))
        inner = convolution(inner, width, width, 3, 1)
        if stride > 1:
            values = add("AveragePool", values, kernel_shape=[2, 2], strides=[2, 2])
            # Where one of the two is smaller, dlib adds zeros to it.
            lacking, side = side // 2 - ((side - 3) // 2 + 1), side // 2
            inner = padded(padded(inner, 2, lacking), 3, lacking)
            values = padded(values, 1, width - channels)
        values = add("Relu", add("Add", values, inner))
    values = add("Flatten", add("GlobalAveragePool", values))
    last = weights.next_layer(b"fc_2", header=5).reshape(-1, SIZE)
    add("MatMul", values, last, output="descriptor")

    def described(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    ends = [described("face", 1, 3, SIDE_PX, SIDE_PX)], [described("descriptor", 1, SIZE)]
    graph = helper.make_graph(nodes, "descriptor", *ends, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
