"""Draw faces, people's numbers and expressions onto frames, on the YUV planes themselves."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from models.emotions import EMOTIONS
from stages.batch import LEFT_OUT, FrameBatch

COLOURS_RGB = {
    "angry": (213, 94, 0),
    "disgust": (0, 158, 115),
    "fear": (204, 121, 167),
    "happy": (240, 228, 66),
    "neutral": (200, 200, 200),
    "sad": (0, 114, 178),
    "surprise": (86, 180, 233),
}
"""Okabe & Ito's palette, which the colour-blind can tell apart (2008), with a light grey."""

INK_RGB, PAPER_RGB = (16, 16, 16), (255, 255, 255)

BLURRED_SQUARES = 5
"""Squares across an unrecognisable face: too few to tell one from another."""

BLURRED_ROOM = 0.2
"""Room about a face that is blurred as well, in sides of it."""

BLURRED_ABOUT = 5
"""Frames before and after, of the same batch, whose faces are blurred, too."""

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]


class Annotator:
    """Draws on frames of one size.

    Args:
        width, height: of the frames, in pixels, even.
        blur: make faces unrecognisable first.
    """

    def __init__(self, width: int, height: int, blur: bool = False) -> None:
        self._blur = blur
        shorter = min(width, height)
        self._least_text_px, self._most_text_px = max(12, shorter // 54), max(12, shorter // 24)

    def draw(self, planes: Planes, batch: FrameBatch, index: int) -> None:
        """Draw the faces of the batch's frame at ``index``.

        Args:
            planes: Y, U, V of that frame, as ``yuv_planes`` gives them, writable.
        """
        if self._blur:
            # What is found a moment earlier or later may have been missed here.
            near = slice(max(0, index - BLURRED_ABOUT), index + BLURRED_ABOUT + 1)
            first, stop = batch.faces_of(near.start).start, batch.faces_of(near.stop - 1).stop
            for box in batch.boxes[first:stop]:
                _make_unrecognisable(planes, box)
        faces = batch.faces_of(index)
        shown = [face for face in range(faces.start, faces.stop) if batch.tracks[face] != LEFT_OUT]
        # The nearest faces last, so that their labels stay readable.
        for face in sorted(shown, key=lambda face: batch.boxes[face, 3]):
            probabilities = batch.probabilities[face]
            emotion = EMOTIONS[probabilities.argmax()]
            label = f"{batch.tracks[face]} {emotion} {probabilities.max():.0%}"
            self._draw_face(planes, batch.boxes[face], label, COLOURS_RGB[emotion])

    def _draw_face(
        self, planes: Planes, box: np.ndarray, label: str, rgb: tuple[int, int, int]
    ) -> None:
        height, width = planes[0].shape
        left, top = (int(value) // 2 * 2 for value in box[:2])
        right, bottom = (int(value) // 2 * 2 for value in box[:2] + box[2:])
        # Small faces have small labels, so that those of a crowd leave each other room.
        text_px = int(np.clip(box[2] / 5, self._least_text_px, self._most_text_px))
        # Even, so that a line covers whole pixels of the chroma planes, which are half as large.
        line = max(2, text_px // 12 * 2)
        for grow, colour in ((2, INK_RGB), (0, rgb)):
            outer = line + grow
            x0, y0, x1, y1 = left - grow, top - grow, right + grow, bottom + grow
            _fill(planes, (x0, y0, x1, y0 + outer + grow), colour)
            _fill(planes, (x0, y1 - outer - grow, x1, y1), colour)
            _fill(planes, (x0, y0, x0 + outer + grow, y1), colour)
            _fill(planes, (x1 - outer - grow, y0, x1, y1), colour)

        text = _text_mask(label, text_px)
        plate_height = text.shape[0] + 2 * line
        plate_width = text.shape[1] + 4 * line
        above, below = top - plate_height, min(bottom, height - plate_height)
        plate_top = above if above >= 0 else below
        plate_left = max(0, min(left, width - plate_width))
        plate = (plate_left, plate_top, plate_left + plate_width, plate_top + plate_height)
        _fill(planes, tuple(value // 2 * 2 for value in plate), rgb)
        ink = INK_RGB if _luma(rgb) > 110 else PAPER_RGB
        _blend(planes, (plate_left + 2 * line, plate_top + line), text, ink)


@lru_cache(maxsize=4096)
def _text_mask(text: str, height_px: int) -> np.ndarray:
    """Coverage of a line of text: (h, w) float32 of 0 to 1, h and w even.

    Drawn four times as large and averaged down, as OpenCV's strokes are coarse when small.
    """
    oversize, font = 4, cv2.FONT_HERSHEY_DUPLEX
    thickness = max(1, round(height_px * oversize / 20))
    scale = cv2.getFontScaleFromHeight(font, round(height_px * oversize * 0.72), thickness)
    (width, _), _ = cv2.getTextSize(text, font, scale, thickness)
    rows = height_px // 2 * 2
    columns = (width // oversize + 3) // 2 * 2
    canvas = np.zeros((rows * oversize, columns * oversize), np.uint8)
    cv2.putText(canvas, text, (0, round(rows * oversize * 0.84)), font, scale, 255, thickness,
                cv2.LINE_AA)  # fmt: skip
    return cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA) / np.float32(255)


@lru_cache(maxsize=64)
def _yuv(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """A colour in video's limited range (ITU-R BT.601)."""
    patch = cv2.cvtColor(np.full((2, 2, 3), rgb, np.uint8), cv2.COLOR_RGB2YUV_I420)
    return int(patch[0, 0]), int(patch[2, 0]), int(patch[2, 1])


def _luma(rgb: tuple[int, int, int]) -> int:
    return _yuv(rgb)[0]


def _make_unrecognisable(planes: Planes, box: np.ndarray) -> None:
    """Put a few large squares in place of a face and what is around it."""
    room = BLURRED_ROOM * box[2:]
    low, high = box[:2] - room, box[:2] + box[2:] + room
    for plane, share in zip(planes, (1, 2, 2), strict=True):
        left, top = (max(0, int(value / share)) for value in low)
        right, bottom = (max(0, int(np.ceil(value / share))) for value in high)
        area = plane[top:bottom, left:right]
        if area.size:
            squares = cv2.resize(area, (BLURRED_SQUARES,) * 2, interpolation=cv2.INTER_AREA)
            size = (area.shape[1], area.shape[0])
            area[:] = cv2.resize(squares, size, interpolation=cv2.INTER_NEAREST)


def _fill(planes: Planes, area: tuple[int, ...], rgb: tuple[int, int, int]) -> None:
    """Paint a rectangle of left, top, right, bottom; what lies outside the picture is left out."""
    left, top, right, bottom = (max(0, value) for value in area)
    for plane, value, share in zip(planes, _yuv(rgb), (1, 2, 2), strict=True):
        plane[top // share : bottom // share, left // share : right // share] = value


def _blend(
    planes: Planes, corner: tuple[int, int], mask: np.ndarray, rgb: tuple[int, int, int]
) -> None:
    """Paint with a mask whose left upper corner is given; it may reach beyond the picture."""
    left, top = (max(0, value // 2 * 2) for value in corner)
    height, width = planes[0].shape
    mask = mask[: max(0, height - top), : max(0, width - left)]
    if not mask.size:
        return
    chroma_mask = mask[::2, ::2]
    for plane, value, share, cover in zip(
        planes, _yuv(rgb), (1, 2, 2), (mask, chroma_mask, chroma_mask), strict=True
    ):
        rows, columns = cover.shape
        area = plane[top // share : top // share + rows, left // share : left // share + columns]
        cover = cover[: area.shape[0], : area.shape[1]]
        area[:] = area + (value - area.astype(np.float32)) * cover + 0.5
