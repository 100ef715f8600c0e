"""Labels of faces in a film: their letters, and where in the picture there is room for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LINE_HEIGHT = 1.15
"""Of a line of text, as a multiple of the size of its letters."""

Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels; the last two are outside."""


@lru_cache(maxsize=512)
def letters(text: str, height_px: int) -> np.ndarray:
    """Coverage of a line of text: (h, w) uint8, h and w even.

    The typeface is Aileron, which comes with Pillow. Few words make many labels, so each is drawn
    once.
    """
    words = [_word(word, height_px) for word in text.split(" ")]
    space = np.zeros((words[0].shape[0], round(height_px / 8) * 2), np.uint8)
    return np.hstack([words[0], *(part for word in words[1:] for part in (space, word))])


@lru_cache(maxsize=2048)
def _word(text: str, height_px: int) -> np.ndarray:
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
