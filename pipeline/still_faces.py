"""Cut faces out of labelled pictures exactly as the pipeline cuts them out of video."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from configs.schema import DetectSettings
from models.crops import OWN, Crop
from models.dataset import NO_LANDMARKS, CutFace
from stages.faces.align import aligned_crop
from stages.faces.cut_faces import transform_to
from stages.faces.detect import make_detector
from stages.faces.detector import Detector
from stages.geometry import crop

CLOSE_UP_PX = 240
"""Longest side at which a picture of nothing but a face is searched. At 48 or 96 pixels, YuNet's
landmarks hardly turn with the face. At 300, the face is often not found at all."""


def make_face_cutter(kind: Crop = OWN) -> CutFace:
    """From a picture to its surest face, cut; to the whole picture if no face is found.

    Args:
        kind: of crop; one in colour is cut out of pictures in colour.
    """
    settings = DetectSettings()
    detector = make_detector(settings)

    def cut(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.floating]]:
        sizes_px = [CLOSE_UP_PX]
        if max(picture.shape) > CLOSE_UP_PX:
            sizes_px.insert(0, min(settings.width_px, max(picture.shape)))
        landmarks = NO_LANDMARKS
        face: np.ndarray = cv2.resize(picture, (kind.size_px,) * 2, interpolation=cv2.INTER_AREA)
        for size_px in sizes_px:
            found = _surest_face(picture, detector, size_px)
            if found is not None:
                box, landmarks = found
                face = (
                    aligned_crop(picture, landmarks)
                    if kind.is_own
                    else crop(picture, transform_to(kind, box, landmarks), kind.size_px)
                )
                break
        if kind.colour:
            face = cv2.cvtColor(face, cv2.COLOR_BGR2RGB)
        return face, landmarks

    return cut


def _surest_face(
    picture: NDArray[np.uint8], detector: Detector, searched_px: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]] | None:
    """Box (4,) and landmarks (5, 2) in pixels of a picture, which is searched at that size; None
    without a face."""
    zoom = searched_px / max(picture.shape)
    sampling = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    searched = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=sampling)
    colour = cv2.cvtColor(searched, cv2.COLOR_GRAY2BGR) if searched.ndim == 2 else searched
    faces = detector.find(np.asarray(colour, np.uint8))
    if not len(faces):
        return None
    surest = faces.scores.argmax()
    # Pixel centres lie half a pixel off the corners that the resizing keeps in place.
    return faces.boxes[surest] / zoom, (faces.landmarks[surest] + 0.5) / zoom - 0.5
