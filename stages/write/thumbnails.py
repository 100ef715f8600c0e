"""Keep the best picture of each person's face."""

from __future__ import annotations

import cv2
import numpy as np

from stages.batch import LEFT_OUT, FrameBatch
from stages.geometry import cut_out_colour

SIDE_PX = 96
ROOM = 0.25
"""Room about a face, in sides of it."""

CLEARLY_BETTER = 1.2
MOST_PEOPLE = 500
"""Bounds memory where a crowd walks by; those who come later have no picture."""

JPEG_QUALITY = 82


class Thumbnails:
    """Looks at every face, and keeps the one of each person that is surest and largest."""

    def __init__(self) -> None:
        self._best: dict[int, tuple[float, np.ndarray]] = {}

    def process(self, batch: FrameBatch) -> None:
        sizes_px = np.minimum(batch.boxes[:, 2:].max(axis=1, initial=0), SIDE_PX)
        for face, quality in enumerate((batch.scores * sizes_px).tolist()):
            track = int(batch.tracks[face])
            if track == LEFT_OUT:
                continue
            known = self._best.get(track)
            if known is None and len(self._best) >= MOST_PEOPLE:
                continue
            if known is None or quality > CLEARLY_BETTER * known[0]:
                frame = batch.pixels[batch.face_frame[face]]
                self._best[track] = quality, _portrait(frame, batch.boxes[face])

    def jpegs(self) -> dict[int, bytes]:
        """The pictures by number of the person, ``SIDE_PX`` square."""
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        return {
            track: cv2.imencode(".jpg", image, quality)[1].tobytes()
            for track, (_, image) in self._best.items()
        }


def _portrait(pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The square about a box: (96, 96, 3) uint8 BGR; the picture's edge is repeated beyond it."""
    side = float(max(box[2:])) * (1 + 2 * ROOM)
    centre = box[:2] + box[2:] / 2
    zoom = SIDE_PX / side
    shift = SIDE_PX / 2 - zoom * centre
    transform = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float64)
    return cut_out_colour(pixels, transform, SIDE_PX)
