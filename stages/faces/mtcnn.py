"""MTCNN, three networks in a cascade, by the package ``mtcnn``: slow, and needs TensorFlow.

Zhang et al., "Joint face detection and alignment using multitask cascaded convolutional networks",
IEEE Signal Processing Letters 23 (2016).
"""

from __future__ import annotations

import cv2
import numpy as np

from models.optional import packages_needed
from stages.faces.detector import Faces

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

    def find(self, image: np.ndarray) -> Faces:
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
