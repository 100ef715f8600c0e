"""Keep the best picture of each person's face."""

from __future__ import annotations

import cv2
import numpy as np

from stages.batch import NOBODY, FrameBatch
from stages.geometry import crop_colour

SIDE_PX = 96
MARGIN = 0.25
"""Around a face, as a share of its longer side."""

MIN_GAIN = 1.2
"""Factor by which the quality of a new picture exceeds that of the one it replaces."""

MAX_PEOPLE = 500
"""Bounds memory where a crowd walks by; later people have no picture."""

JPEG_QUALITY = 82


class Thumbnails:
    """Keeps the picture of each person with the highest product of score and size."""

    def __init__(self) -> None:
        self._best: dict[int, tuple[float, np.ndarray]] = {}

    def process(self, batch: FrameBatch) -> None:
        sizes_px = np.minimum(batch.boxes[:, 2:].max(axis=1, initial=0), SIDE_PX)
        for face, quality in enumerate((batch.scores * sizes_px).tolist()):
            person = int(batch.people[face])
            if person == NOBODY:
                continue
            known = self._best.get(person)
            if known is None and len(self._best) >= MAX_PEOPLE:
                continue
            if known is None or quality > MIN_GAIN * known[0]:
                frame = batch.pixels[batch.face_frame[face]]
                self._best[person] = quality, _portrait(frame, batch.boxes[face])

    def jpegs(self) -> dict[int, bytes]:
        """The pictures by person id, ``SIDE_PX`` square."""
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        return {
            person: cv2.imencode(".jpg", image, quality)[1].tobytes()
            for person, (_, image) in self._best.items()
        }


def _portrait(pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The square around a box: (96, 96, 3) uint8 BGR."""
    side = float(max(box[2:])) * (1 + 2 * MARGIN)
    centre = box[:2] + box[2:] / 2
    zoom = SIDE_PX / side
    shift = SIDE_PX / 2 - zoom * centre
    transform = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float64)
    return crop_colour(pixels, transform, SIDE_PX)
