"""From a decoder's frames to the pictures that travel: upright, planar YUV 4:2:0, of one size."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np

from stages.batch import yuv_planes
from stages.decode import plane_values

BT601 = 6
"""FFmpeg's number for the colour space (SMPTE 170M) that its conversion from RGB gives."""

FALLBACK_RATE = Fraction(25)
"""Frames a second of a stream that states neither timestamps nor a rate."""


def upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    """Width and height of a frame as it is to be seen."""
    sideways = frame.rotation % 180 != 0
    return (frame.height, frame.width) if sideways else (frame.width, frame.height)


def copy_upright(frame: av.VideoFrame, size: tuple[int, int], pixels: np.ndarray) -> None:
    """Copy a frame, turned upright and brought to a size.

    Args:
        frame: as it was decoded.
        size: width and height of the upright picture.
        pixels: (h * 3 / 2, w) uint8 to be filled, h and w the size made even.
    """
    width, height = size if frame.rotation % 180 == 0 else size[::-1]
    quarter_turns = round(frame.rotation / 90)
    for target, plane in zip(yuv_planes(pixels), _planes(frame, width, height), strict=True):
        _fill(target, np.rot90(plane, quarter_turns))


def pixels_shape(size: tuple[int, int]) -> tuple[int, int]:
    """Shape of the pixels of one frame of that width and height."""
    return _even(size[1]) * 3 // 2, _even(size[0])


class SmallImages:
    """Frames made small for the search for faces, each when it is asked for; never enlarged.

    Args:
        pixels: (n, H * 3 / 2, W) uint8, planar YUV 4:2:0.
        width_px: length of the longer side, at most.

    Attributes:
        size: height and width of the images, even.
    """

    def __init__(self, pixels: np.ndarray, width_px: int) -> None:
        full_size = pixels.shape[1] * 2 // 3, pixels.shape[2]
        scale = min(1.0, width_px / max(full_size))
        self._pixels = pixels
        self.size = tuple(max(2, round(side * scale / 2) * 2) for side in full_size)

    def __getitem__(self, index: int) -> np.ndarray:
        """The image of one frame, (h, w, 3) uint8 BGR."""
        height, width = self.size
        small = np.empty((height * 3 // 2, width), np.uint8)
        planes = yuv_planes(self._pixels[index])
        for plane, target in zip(planes, yuv_planes(small), strict=True):
            cv2.resize(plane, target.shape[::-1], dst=target, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(small, cv2.COLOR_YUV2BGR_I420)


def _planes(frame: av.VideoFrame, width: int, height: int) -> list[np.ndarray]:
    """Y, U and V of a frame, as (h, w), (h / 2, w / 2) uint8, limited range, at the size asked."""
    full_range = frame.color_range == av.video.reformatter.ColorRange.JPEG
    plain = frame.format.name == "yuv420p" and not full_range
    if not plain or (frame.width, frame.height) != (width, height):
        frame = frame.reformat(
            width=width,
            height=height,
            format="yuv420p",
            dst_color_range="MPEG",
        )
    return [plane_values(plane) for plane in frame.planes]


def _fill(target: np.ndarray, plane: np.ndarray) -> None:
    """Copy a plane into one that is as large, or larger by a row or column to be repeated."""
    height, width = plane.shape
    target[:height, :width] = plane
    target[:height, width:] = plane[:, -1:]
    target[height:] = target[height - 1]


def _even(size: int) -> int:
    return size + size % 2
