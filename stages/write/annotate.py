"""Draw boxes, person ids and expressions on frames, directly in their YUV planes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from configs.schema import SegmentSettings
from models.emotions import EMOTIONS
from stages.batch import NOBODY, FrameBatch
from stages.colours import COLOURS_RGB, RGB, contrast, yuv_of
from stages.columns import rounded_to_steps, whole_percent
from stages.frames import Planes

INK_RGB, PAPER_RGB = (16, 16, 16), (255, 255, 255)

UNCLEAR_BELOW = SegmentSettings().min_confidence
"""The default, not the setting: segments may be made anew with another one, the film is not."""

PALE = 0.55
"""Opacity of what marks a face that is not usable, or whose expression is not clear."""

MOSAIC_SQUARES = 5
"""Across a blurred face: too few to recognise it."""

BLUR_MARGIN = 0.2
"""Around a face, blurred as well, as a share of its width and height."""

BLUR_FRAMES = 5
"""In a frame, the faces of so many frames before and after it, in its batch, are blurred as
well."""


LINE_HEIGHT = 1.15
"""Of a line of text, as a multiple of the size of its letters."""

Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels; the last two are outside."""


@dataclass(frozen=True)
class _Mark:
    """How one face is marked: its box, (left, top, right, bottom), even; and its label."""

    box: Rectangle
    text: str
    text_px: int
    rgb: RGB
    opacity: float

    @property
    def line(self) -> int:
        """Its width in pixels: even, as the chroma planes are half as large."""
        return max(2, self.text_px // 12 * 2)


class Annotator:
    """Draws on frames of one size.

    Args:
        width, height: of the frames, in pixels, even.
        colorspace: of the frames, as in ``VideoInfo``.
        blur: make all faces unrecognisable.
    """

    def __init__(self, width: int, height: int, colorspace: int, blur: bool = False) -> None:
        self._size, self._colorspace, self._blur = (width, height), colorspace, blur
        shorter = min(width, height)
        self._min_text_px, self._max_text_px = max(12, shorter // 54), max(14, shorter // 36)

    def draw(self, planes: Planes, batch: FrameBatch, index: int) -> None:
        """Draw the faces of the batch's frame at ``index``.

        Args:
            planes: Y, U, V of that frame, as ``yuv_planes`` gives them, writable.
        """
        if self._blur:
            blur_faces(planes, batch, index)
        within = batch.faces_of(index)
        # The largest faces first: their labels have the best places.
        faces = sorted(
            (face for face in range(within.start, within.stop) if batch.people[face] != NOBODY),
            key=lambda face: -batch.boxes[face, 3],
        )
        marks = [self._mark_of(batch, face) for face in faces]
        for mark in reversed(marks):
            self._draw_box(planes, mark)
        taken = [mark.box for mark in marks]
        for mark in marks:
            taken.append(self._draw_label(planes, mark, taken))

    def _mark_of(self, batch: FrameBatch, face: int) -> _Mark:
        (steps,) = rounded_to_steps(batch.probabilities[face : face + 1])
        likeliest = steps.argmax()
        emotion, percent = EMOTIONS[likeliest], whole_percent(steps)[likeliest]
        x, y, width, height = batch.boxes[face]
        left, top, right, bottom = (int(value) // 2 * 2 for value in (x, y, x + width, y + height))
        return _Mark(
            box=(left, top, right, bottom),
            text=f"{batch.people[face]} {emotion} {percent}%",
            # Small faces get small labels, so that a crowd stays readable.
            text_px=int(np.clip(width / 5, self._min_text_px, self._max_text_px)),
            rgb=COLOURS_RGB[emotion],
            opacity=1.0 if batch.usable[face] and percent >= 100 * UNCLEAR_BELOW else PALE,
        )

    def _draw_box(self, planes: Planes, mark: _Mark) -> None:
        left, top, right, bottom = mark.box
        for grow, colour in ((2, INK_RGB), (0, mark.rgb)):
            thick, yuv = mark.line + 2 * grow, yuv_of(colour, self._colorspace)
            x0, y0, x1, y1 = left - grow, top - grow, right + grow, bottom + grow
            _fill(planes, (x0, y0, x1, y0 + thick), yuv, mark.opacity)
            _fill(planes, (x0, y1 - thick, x1, y1), yuv, mark.opacity)
            _fill(planes, (x0, y0 + thick, x0 + thick, y1 - thick), yuv, mark.opacity)
            _fill(planes, (x1 - thick, y0 + thick, x1, y1 - thick), yuv, mark.opacity)

    def _draw_label(self, planes: Planes, mark: _Mark, taken: Sequence[Rectangle]) -> Rectangle:
        """Draw the label of a face; returns the place that it takes."""
        text, line = letters(mark.text, mark.text_px), mark.line
        width, height = text.shape[1] + 4 * line, text.shape[0] + line
        left, top = (
            value // 2 * 2 for value in free_place((width, height), mark.box, taken, self._size)
        )
        place = (left, top, left + width, top + height)
        _fill(planes, place, yuv_of(mark.rgb, self._colorspace), mark.opacity)
        corner = left + 2 * line, top + line // 2
        _blend(planes, corner, text, yuv_of(_ink_on(mark.rgb), self._colorspace))
        return place


@lru_cache(maxsize=16)
def _ink_on(rgb: RGB) -> RGB:
    """The colour of letters on a plate."""
    return max((INK_RGB, PAPER_RGB), key=lambda ink: contrast(ink, rgb))


def blur_faces(planes: Planes, batch: FrameBatch, index: int) -> None:
    """Make the faces of the batch's frame at ``index`` unrecognisable."""
    # A face that is detected a moment earlier or later may have been missed here.
    near = slice(max(0, index - BLUR_FRAMES), index + BLUR_FRAMES + 1)
    first, stop = batch.faces_of(near.start).start, batch.faces_of(near.stop - 1).stop
    for box in batch.boxes[first:stop]:
        _pixelate(planes, box)


def _pixelate(planes: Planes, box: NDArray[np.floating]) -> None:
    """Replace a face and its margin by a few large squares."""
    margin = BLUR_MARGIN * box[2:]
    low, high = box[:2] - margin, box[:2] + box[2:] + margin
    for plane, share in zip(planes, (1, 2, 2), strict=True):
        left, top = (max(0, int(value / share)) for value in low)
        right, bottom = (max(0, int(np.ceil(value / share))) for value in high)
        area = plane[top:bottom, left:right]
        if area.size:
            squares = cv2.resize(area, (MOSAIC_SQUARES,) * 2, interpolation=cv2.INTER_AREA)
            size = (area.shape[1], area.shape[0])
            area[:] = cv2.resize(squares, size, interpolation=cv2.INTER_NEAREST)


def _fill(planes: Planes, area: tuple[int, ...], yuv: tuple[int, int, int], opacity: float) -> None:
    """Fill a rectangle (left, top, right, bottom), clipped to the picture."""
    left, top, right, bottom = (max(0, value) for value in area)
    for plane, value, share in zip(planes, yuv, (1, 2, 2), strict=True):
        part = plane[top // share : bottom // share, left // share : right // share]
        part[:] = value if opacity == 1 else part + (value - part.astype(np.float32)) * opacity


def _blend(
    planes: Planes, corner: tuple[int, int], mask: NDArray[np.uint8], yuv: tuple[int, int, int]
) -> None:
    """Blend a colour in by a mask, whose left upper corner is given; clipped to the picture."""
    left, top = (value // 2 * 2 for value in corner)
    chroma_mask = mask[::2, ::2]
    for plane, value, share, cover in zip(
        planes, yuv, (1, 2, 2), (mask, chroma_mask, chroma_mask), strict=True
    ):
        rows, columns = cover.shape
        part = plane[top // share : top // share + rows, left // share : left // share + columns]
        shares = cover[: part.shape[0], : part.shape[1]] / np.float32(255)
        part[:] = part + (value - part.astype(np.float32)) * shares + 0.5


@lru_cache(maxsize=512)
def letters(text: str, height_px: int) -> NDArray[np.uint8]:
    """Coverage of a line of text: (h, w) uint8, h and w even.

    The typeface is Aileron, which comes with Pillow. Few words make many labels, so each is drawn
    once.
    """
    words = [_word(word, height_px) for word in text.split(" ")]
    space = np.zeros((words[0].shape[0], round(height_px / 8) * 2), np.uint8)
    return np.hstack([words[0], *(part for word in words[1:] for part in (space, word))])


@lru_cache(maxsize=2048)
def _word(text: str, height_px: int) -> NDArray[np.uint8]:
    font = _font(height_px)
    width = math.ceil(font.getlength(text) / 2) * 2
    line = Image.new("L", (width, math.ceil(height_px * LINE_HEIGHT / 2) * 2))
    ImageDraw.Draw(line).text((width / 2, line.height / 2), text, fill=255, font=font, anchor="mm")
    return np.asarray(line)


_font = lru_cache(maxsize=64)(ImageFont.load_default)


def free_place(
    size: tuple[int, int],
    face: Rectangle,
    taken: Sequence[Rectangle],
    picture: tuple[int, int],
) -> tuple[int, int]:
    """Left and top of a label, where it covers as little as it can of what is taken.

    Above the face, below it, beside it, or else within its upper or lower edge: the first place
    that covers nothing, and always within the picture.

    Args:
        size: width and height of the label.
        face: to which it belongs.
        taken: rectangles of all faces, and of the labels that have a place.
        picture: its width and height.
    """
    width, height = size
    left, top, right, bottom = face
    places = (
        (left, top - height), (right - width, top - height), (left, bottom),
        (right - width, bottom), (right, top), (left - width, top), (right, bottom - height),
        (left - width, bottom - height), (left, top), (left, bottom - height),
    )  # fmt: skip
    best, least = (0, 0), math.inf
    for x, y in places:
        x = max(0, min(x, picture[0] - width))
        y = max(0, min(y, picture[1] - height))
        covered = sum(_common((x, y, x + width, y + height), other) for other in taken)
        if covered < least:
            best, least = (x, y), covered
        if not covered:
            break
    return best


def _common(a: Rectangle, b: Rectangle) -> int:
    """Pixels of both rectangles."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0
