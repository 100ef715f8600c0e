"""Labels of faces in a film: their letters, and where in the picture there is room for them."""

from __future__ import annotations

import math
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
    size: tuple[int, int], face: Rectangle, taken: np.ndarray, picture: tuple[int, int]
) -> tuple[int, int]:
    """Left and top of a label, where it covers as little as it can of what is taken.

    Above the face, below it, beside it, or else within its upper or lower edge: the first place
    that covers nothing, and always within the picture.

    Args:
        size: width and height of the label.
        face: to which it belongs.
        taken: (n, 4) int64, rectangles of all faces, and of the labels that have a place.
        picture: its width and height.
    """
    width, height = size
    left, top, right, bottom = face
    places = np.array(
        [
            (left, top - height), (right - width, top - height), (left, bottom),
            (right - width, bottom), (right, top), (left - width, top), (right, bottom - height),
            (left - width, bottom - height), (left, top), (left, bottom - height),
        ]
    )  # fmt: skip
    within = np.clip(places, 0, np.maximum(0, np.subtract(picture, size)))
    rectangles = np.hstack([within, within + size])
    low = np.maximum(rectangles[:, None, :2], taken[:, :2])
    high = np.minimum(rectangles[:, None, 2:], taken[:, 2:])
    covered = (high - low).clip(0).prod(axis=2).sum(axis=1)
    return tuple(within[covered.argmin()].tolist())
