"""From a decoder's frames to the pictures that travel: upright, planar YUV 4:2:0, of one size."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

BT601 = 6
"""FFmpeg's number for the colour space (SMPTE 170M) that its conversion from RGB gives."""

FALLBACK_RATE = Fraction(25)
"""Frames a second of a stream that states neither timestamps nor a rate."""


def yuv_planes(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, U and V of one frame, as views: (h, w), (h / 2, w / 2) and (h / 2, w / 2) uint8.

    Args:
        pixels: (h * 3 / 2, w) uint8, contiguous, h and w even.
    """
    height, width = pixels.shape[0] * 2 // 3, pixels.shape[1]
    flat, luma, chroma = pixels.reshape(-1), height * width, height * width // 4
    return (
        pixels[:height],
        flat[luma : luma + chroma].reshape(height // 2, width // 2),
        flat[luma + chroma :].reshape(height // 2, width // 2),
    )


def plane_values(plane: av.video.plane.VideoPlane) -> np.ndarray:
    """The values of one plane of a frame, as a view: (h, w) uint8, writable if the frame is."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


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
