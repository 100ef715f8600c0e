"""Cut faces out of labelled pictures exactly as the pipeline cuts them out of video."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from configs.schema import DetectSettings
from models.dataset import CutFace, whole_picture
from stages.faces.align import aligned_crop
from stages.faces.detect import make_detector
from stages.faces.detector import Detector

CLOSE_UP_PX = 240
"""Longest side at which a picture of nothing but a face is searched. At 48 or 96 pixels, YuNet's
landmarks hardly turn with the face. At 300, the face is often not found at all."""


def make_face_cutter() -> CutFace:
    """From a picture to its surest face, aligned; to the whole picture if no face is found."""
    settings = DetectSettings()
    detector = make_detector(settings)

    def cut(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        sizes_px = [CLOSE_UP_PX]
        if max(picture.shape) > CLOSE_UP_PX:
            sizes_px.insert(0, min(settings.width_px, max(picture.shape)))
        for size_px in sizes_px:
            landmarks = _surest_landmarks(picture, detector, size_px)
            if landmarks is not None:
                return aligned_crop(picture, landmarks)
        return whole_picture(picture)

    return cut


def _surest_landmarks(
    picture: NDArray[np.uint8], detector: Detector, searched_px: int
) -> NDArray[np.floating] | None:
    """(5, 2) in pixels of a grey picture, which is searched at that size; None without a face."""
    zoom = searched_px / max(picture.shape)
    sampling = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    searched = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=sampling)
    colour = cv2.cvtColor(searched, cv2.COLOR_GRAY2BGR)
    faces = detector.find(np.asarray(colour, np.uint8))
    if not len(faces):
        return None
    surest = faces.scores.argmax()
    # Pixel centres lie half a pixel off the corners that the resizing keeps in place.
    landmarks: NDArray[np.floating] = (faces.landmarks[surest] + 0.5) / zoom - 0.5
    return landmarks
