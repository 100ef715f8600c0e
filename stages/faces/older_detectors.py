"""The Haar cascade that comes with OpenCV: an old detector, which misses faces that are turned.

Viola & Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.emotions import FACE_SIZE_PX
from models.libraries import packages_needed
from stages.faces.align import TEMPLATE_PX
from stages.faces.detector import Faces

CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
SCALE_FACTOR, MIN_NEIGHBOURS = 1.2, 5

LOGISTIC_MIDDLE, LOGISTIC_SCALE = 2.0, 1.5
"""From the cascade's sum of weights to a score: the sum for a score of 0.5, and its scale."""

BOX_IN_TEMPLATE = np.array([3.0, 1.0, 43.0, 43.0]) / FACE_SIZE_PX
"""The cascade's box on an aligned face: x, y, width, height as shares of its side."""


class HaarCascade:
    """Finds upright frontal faces; satisfies ``stages.faces.detector.Detector``.

    The cascade gives no landmarks: they are placed as on FER-2013's mean face.
    """

    finds_landmarks = False

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._cascade = cv2.CascadeClassifier(str(CASCADE))

    def find(self, image: NDArray[np.uint8]) -> Faces:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        found, _, sums = self._cascade.detectMultiScale3(
            grey, SCALE_FACTOR, MIN_NEIGHBOURS, outputRejectLevels=True
        )
        boxes = np.asarray(found, np.float32).reshape(-1, 4)
        weights = np.asarray(sums, np.float32).reshape(-1)
        scores = 1 / (1 + np.exp((LOGISTIC_MIDDLE - weights) / LOGISTIC_SCALE))
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= self._threshold]
        boxes, scores = boxes[order], scores[order]
        places = (TEMPLATE_PX / FACE_SIZE_PX - BOX_IN_TEMPLATE[:2]) / BOX_IN_TEMPLATE[2:]
        landmarks = boxes[:, None, :2] + places * boxes[:, None, 2:]
        return Faces(boxes, landmarks.astype(np.float32), scores)


LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


class MTCNN:
    """Finds faces of at least 20 pixels; satisfies ``stages.faces.detector.Detector``.

    Raises:
        MissingPackageError: the package or TensorFlow is not installed.
    """

    finds_landmarks = True

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        with packages_needed("detect.detector=mtcnn", "mtcnn", "tensorflow"):
            import mtcnn

            self._networks = mtcnn.MTCNN(device="CPU:0")

    def find(self, image: NDArray[np.uint8]) -> Faces:
        faces = self._networks.detect_faces(
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB), box_format="xywh"
        )
        faces = [face for face in faces if face["confidence"] >= self._threshold]
        faces.sort(key=lambda face: -face["confidence"])
        points = [[face["keypoints"][name] for name in LANDMARKS] for face in faces]
        return Faces(
            np.array([face["box"] for face in faces], np.float32).reshape(-1, 4),
            np.array(points, np.float32).reshape(-1, len(LANDMARKS), 2),
            np.array([face["confidence"] for face in faces], np.float32),
        )
