"""Keep small pictures: the best one of each person's face, and one of the whole video."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.batch import NOBODY, FrameBatch, VideoInfo
from stages.colours import to_bgr
from stages.frames import yuv_planes
from stages.geometry import crop_yuv
from stages.write.annotate import blur_faces

SIDE_PX = 96
MARGIN = 0.25
"""Around a face, as a share of its longer side."""

STILL_WIDTH_PX = 320

MIN_GAIN = 1.2
"""Factor by which the quality of a new picture exceeds that of the one it replaces."""

MAX_PEOPLE = 500
"""Bounds memory where a crowd walks by; later people have no picture."""

JPEG_QUALITY = 82


class Portraits:
    """Keeps the picture of each person with the highest product of score and size."""

    def __init__(self, info: VideoInfo) -> None:
        self._info = info
        self._best: dict[int, tuple[float, NDArray[np.uint8]]] = {}
        self._pictures: Counter[int] = Counter()

    def process(self, batch: FrameBatch) -> None:
        for face, quality in enumerate(_qualities(batch).tolist()):
            person = int(batch.people[face])
            if person == NOBODY:
                continue
            known = self._best.get(person)
            if known is None and len(self._best) >= MAX_PEOPLE:
                continue
            if known is None or quality > MIN_GAIN * known[0]:
                frame = batch.pixels[batch.face_frame[face]]
                self._best[person] = quality, _portrait(frame, batch.boxes[face])
                self._pictures[person] += 1

    def jpegs(self) -> dict[int, bytes]:
        """The pictures by person id, ``SIDE_PX`` square."""
        return {person: self._encoded(pixels) for person, (_, pixels) in self._best.items()}

    def jpeg(self, person: int) -> bytes | None:
        """The picture of one person; None if there is none."""
        known = self._best.get(person)
        return self._encoded(known[1]) if known else None

    def pictures_of(self, person: int) -> int:
        """How many pictures there have been of a person, each better than the one before."""
        return self._pictures[person]

    def _encoded(self, pixels: NDArray[np.uint8]) -> bytes:
        return _jpeg(to_bgr(pixels, self._info.colorspace))


class Still:
    """Keeps the frame that shows most of a video's people; without any, the first one that shows
    more than a plain ground.

    Args:
        blur: make faces unrecognisable in it.
    """

    def __init__(self, info: VideoInfo, blur: bool) -> None:
        self._info, self._blur = info, blur
        self._best: tuple[float, NDArray[np.uint8]] | None = None

    def process(self, batch: FrameBatch) -> None:
        if not len(batch):
            return
        shown = _qualities(batch) * (batch.people != NOBODY)
        of_frame = np.bincount(batch.face_frame, shown, minlength=len(batch))
        frame = int(of_frame.argmax())
        # Less than any face, and 0 for a black frame.
        luma, _, _ = yuv_planes(batch.pixels[frame])
        quality = of_frame[frame] or 1e-3 * min(1.0, luma[::8, ::8].std() / 16)
        if self._best is None or quality > MIN_GAIN * self._best[0]:
            self._best = float(quality), self._picture(batch, frame)

    def jpeg(self) -> bytes | None:
        """The picture, at most ``STILL_WIDTH_PX`` wide; None without frames."""
        return _jpeg(self._best[1]) if self._best else None

    def _picture(self, batch: FrameBatch, frame: int) -> NDArray[np.uint8]:
        pixels = batch.pixels[frame]
        if self._blur:
            pixels = pixels.copy()
            blur_faces(yuv_planes(pixels), batch, frame)
        height, width = len(pixels) * 2 // 3, pixels.shape[1]
        shrink = max(1.0, width / STILL_WIDTH_PX)
        size = round(width / shrink), max(1, round(height / shrink))
        return to_bgr(pixels, self._info.colorspace, size)


def _qualities(batch: FrameBatch) -> NDArray[np.float32]:
    """Of the picture of each face, by score and size: (m,) float32."""
    sides_px = np.minimum(batch.boxes[:, 2:].max(axis=1, initial=0), SIDE_PX)
    return np.asarray(batch.scores * sides_px, np.float32)


def _portrait(pixels: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The square around a box: (144, 96) uint8, planar YUV 4:2:0."""
    side = float(max(box[2:])) * (1 + 2 * MARGIN)
    centre = box[:2] + box[2:] / 2
    zoom = SIDE_PX / side
    shift = SIDE_PX / 2 - zoom * centre
    transform = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float64)
    return crop_yuv(pixels, transform, SIDE_PX)


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
