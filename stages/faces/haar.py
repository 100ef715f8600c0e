"""Faces by OpenCV's own cascade of Haar features: old, quick to miss, needs no network.

Viola & Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001. The
cascade comes with OpenCV.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from models.emotions import FACE_SIZE_PX
from stages.faces.align import TEMPLATE_PX
from stages.faces.detector import Faces

CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
SCALE_STEP, LEAST_NEIGHBOURS = 1.2, 5

EVEN_WEIGHT, WEIGHT_SPREAD = 2.0, 1.5
"""The cascade's sum of weights that counts as a score of 0.5, and how fast the score changes."""

BOX_IN_TEMPLATE = np.array([3.0, 1.0, 43.0, 43.0]) / FACE_SIZE_PX
"""Where the cascade's box lies on an aligned face (x, y, width, height), as a share of its side."""


class HaarCascade:
    """Finds upright frontal faces; satisfies ``stages.faces.detector.Detector``.

    The cascade knows no landmarks: they are put where they are on the mean face.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._cascade = cv2.CascadeClassifier(str(CASCADE))

    def find(self, image: np.ndarray) -> Faces:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        found, _, sums = self._cascade.detectMultiScale3(
            grey, SCALE_STEP, LEAST_NEIGHBOURS, outputRejectLevels=True
        )
        boxes = np.asarray(found, np.float32).reshape(-1, 4)
        weights = np.asarray(sums, np.float32).reshape(-1)
        scores = 1 / (1 + np.exp((EVEN_WEIGHT - weights) / WEIGHT_SPREAD))
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= self._threshold]
        boxes, scores = boxes[order], scores[order]
        places = (TEMPLATE_PX / FACE_SIZE_PX - BOX_IN_TEMPLATE[:2]) / BOX_IN_TEMPLATE[2:]
        landmarks = boxes[:, None, :2] + places * boxes[:, None, 2:]
        return Faces(boxes, landmarks.astype(np.float32), scores)
