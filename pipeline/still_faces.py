"""Cut faces out of labelled pictures exactly as the pipeline cuts them out of video."""

from __future__ import annotations

import cv2
import numpy as np

from configs.schema import DetectSettings
from models.dataset import CutFace, whole_picture
from stages.align import aligned_crop
from stages.detect import Detector, make_detector

ENLARGED = 2.0
"""FER-2013's faces are enlarged for the search: it finds 97% of them then."""

MOST_SEARCHED_PX = 320
"""Longest side of a searched picture: a face that fills a larger one would be missed."""


def make_face_cutter() -> CutFace:
    """From a picture to its surest face, aligned; to the whole picture if no face is found."""
    detector = make_detector(DetectSettings())
    return lambda picture: _surest_face(picture, detector)


def _surest_face(picture: np.ndarray, detector: Detector) -> np.ndarray:
    zoom = min(ENLARGED, MOST_SEARCHED_PX / max(picture.shape))
    sampling = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    searched = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=sampling)
    _, landmarks, scores = detector.find(cv2.cvtColor(searched, cv2.COLOR_GRAY2BGR))
    if not len(scores):
        return whole_picture(picture)
    # Pixel centres lie half a pixel off the corners that the enlargement keeps in place.
    return aligned_crop(picture, (landmarks[scores.argmax()] + 0.5) / zoom - 0.5)
