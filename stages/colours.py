"""The colours of the expressions: the same in films, pages and pictures."""

from __future__ import annotations

from functools import lru_cache

import av
import numpy as np
from numpy.typing import NDArray

from stages.ffmpeg import reformat

RGB = tuple[int, int, int]

COLOURS_RGB: dict[str, RGB] = {
    "angry": (188, 50, 10),
    "disgust": (47, 126, 83),
    "fear": (113, 86, 169),
    "happy": (197, 136, 3),
    "neutral": (153, 147, 139),
    "sad": (21, 146, 255),
    "surprise": (0, 163, 176),
}
"""Each has a contrast of at least 3:1 with the pages' light and dark ground (WCAG 2.2, 1.4.11).
They were chosen by simulated annealing for the largest least difference (CIEDE2000) between any two
of them, to eyes with all cones and to those without red or green ones (Machado et al. 2009)."""

UNCLEAR_RGB: RGB = (98, 102, 109)
"""Of what no expression is likely in; it is hatched as well."""

BT709, UNKNOWN, BT601 = 1, 2, 6
"""FFmpeg's numbers for colour spaces: of HD video, not stated, and SMPTE 170M, of SD video."""

LUMA_SHARES = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.470BG, which is as BT.601
    BT601: (0.299, 0.114),
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
    10: (0.2627, 0.0593),
}
"""Shares of red and of blue in luma, by FFmpeg's number of the colour space (ITU-T H.273)."""

HD_FROM_PX = 720
"""Height from which browsers take a film that states no colour space for one in BT.709."""


def known_colorspace(stated: int, is_rgb: bool, height_px: int) -> int:
    """The colour space of a video's pixels, as FFmpeg's number; never ``UNKNOWN``.

    Args:
        stated: by the video.
        is_rgb: whether its frames are; FFmpeg converts such to BT.601.
    """
    if is_rgb:
        return BT601
    if stated in LUMA_SHARES:
        return stated
    return BT709 if height_px >= HD_FROM_PX else BT601


@lru_cache(maxsize=64)
def yuv_of(rgb: RGB, colorspace: int) -> tuple[int, int, int]:
    """A colour as Y, U and V of limited range (ITU-T H.273, equations 38 to 43).

    Example:
        yuv_of((255, 255, 255), BT709)     # 235, 128, 128
    """
    of_red, of_blue = LUMA_SHARES[colorspace]
    red, green, blue = (value / 255 for value in rgb)
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    u, v = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    return round(16 + 219 * luma), round(128 + 224 * u), round(128 + 224 * v)


@lru_cache(maxsize=16)
def rgb_from_yuv(colorspace: int) -> NDArray[np.float64]:
    """From Y, U and V of limited range to RGB of full range, 0 to 255: the inverse of ``yuv_of``.

    Returns:
        (3, 4) float64: shares of Y, U and V, and what is added, as OpenCV's ``transform`` takes it.
    """
    of_red, of_blue = LUMA_SHARES[colorspace]
    of_green = 1 - of_red - of_blue
    u, v = 2 - 2 * of_blue, 2 - 2 * of_red
    shares = np.array([
        [1, 0, v],
        [1, -u * of_blue / of_green, -v * of_red / of_green],
        [1, u, 0],
    ]) * (255 / 219, 255 / 224, 255 / 224)  # fmt: skip
    return np.column_stack([shares, -shares @ (16, 128, 128)])


def to_bgr(
    pixels: NDArray[np.uint8], colorspace: int, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """A frame as (h, w, 3) uint8 BGR.

    Args:
        pixels: (h * 3 / 2, w) uint8, planar YUV 4:2:0 of limited range.
        colorspace: FFmpeg's number.
        size: width and height to scale it to; None for its own.
    """
    frame = av.VideoFrame.from_ndarray(pixels, "yuv420p")
    width, height = size or (frame.width, frame.height)
    image = reformat(
        frame, width=width, height=height, format="bgr24", src_colorspace=colorspace,
        src_color_range="MPEG", dst_color_range="JPEG", interpolation="AREA",
    )  # fmt: skip
    return np.asarray(image.to_ndarray(), np.uint8)


def hex_of(rgb: RGB) -> str:
    """As style sheets write it: ``#bc320a``."""
    red, green, blue = rgb
    return f"#{red:02x}{green:02x}{blue:02x}"


def contrast(one: RGB, other: RGB) -> float:
    """Contrast of two colours, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: RGB) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (part / 255 for part in rgb)
    ]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
