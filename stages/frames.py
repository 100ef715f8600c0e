"""From decoded frames to the pixels of a batch: upright, square, planar YUV 4:2:0, of one size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from numpy.typing import NDArray

from stages.ffmpeg import reformat

FALLBACK_RATE = Fraction(25)
"""Frames per second where a stream states neither timestamps nor a rate."""

MAX_RATE = 240
"""A higher rate is not believed: some files state the unit of their timestamps for it."""

SQUARE = Fraction(1)
WIDEST_PIXEL = 10
"""Pixels that are said to be longer than this, by width or height, are taken for square ones."""

QUARTER_TURN = np.array([[0, 1], [-1, 0]])
"""By 90 degrees counterclockwise, in pixels, whose y grows downwards."""

MIRROR = np.array([[-1, 0], [0, 1]])


Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""Y, U and V of one frame: (h, w), (h / 2, w / 2) and (h / 2, w / 2) uint8."""


def yuv_planes(pixels: NDArray[np.uint8]) -> Planes:
    """The planes of one frame, as views.

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


def plane_values(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """The values of one plane of a frame, as a view: (h, w) uint8, writable if the frame is."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


@dataclass(frozen=True)
class Stated:
    """What a film or a live stream states of itself.

    Attributes:
        codec: FFmpeg's name of the video codec.
        rate: frames per second; None if unknown.
        sample_aspect: width of a pixel, for a height of 1; None if unknown.
        colorspace, color_primaries, color_trc: FFmpeg's numbers for its colours; 2 is unknown.
        time_base: unit of a film's timestamps, in seconds; None if unknown.
        frames: number of its frames; 0 if unknown.
        duration_s: 0 if unknown.
        start_s: when its earliest stream begins, by its own clock.
        only_dts: it has only decoding timestamps.
        first_dts: the decoding timestamp that it states for its first frame.
    """

    codec: str
    rate: Fraction | None
    sample_aspect: Fraction | None = None
    colorspace: int = 2
    color_primaries: int = 2
    color_trc: int = 2
    time_base: Fraction | None = None
    frames: int = 0
    duration_s: float = 0.0
    start_s: float = 0.0
    only_dts: bool = False
    first_dts: int = 0

    @staticmethod
    def of(stream: av.VideoStream) -> Stated:
        """What films and live streams have in common."""
        context = stream.codec_context
        return Stated(
            codec=context.name,
            rate=stream.average_rate or stream.guessed_rate,
            sample_aspect=stream.sample_aspect_ratio,
            colorspace=context.colorspace,
            color_primaries=context.color_primaries,
            color_trc=context.color_trc,
        )


@dataclass(frozen=True)
class Orientation:
    """How a decoded picture is brought upright.

    Attributes:
        mirrored: it is flipped left to right, first.
        quarter_turns: then it is turned by 90 degrees counterclockwise, so many times.
    """

    mirrored: bool = False
    quarter_turns: int = 0

    @property
    def sideways(self) -> bool:
        return self.quarter_turns % 2 != 0

    @property
    def matrix(self) -> NDArray[np.int64]:
        """What the coordinates of pixels are multiplied with: (2, 2)."""
        turn = np.linalg.matrix_power(QUARTER_TURN, self.quarter_turns)
        return turn @ MIRROR if self.mirrored else turn

    def turned(self, degrees: int) -> Orientation:
        """The same, and then turned clockwise by a multiple of 90 degrees."""
        return Orientation(self.mirrored, (self.quarter_turns - degrees // 90) % 4)

    def apply(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A plane upright, as a view."""
        return np.rot90(np.fliplr(plane) if self.mirrored else plane, self.quarter_turns)


MATRICES = {
    orientation: orientation.matrix
    for orientation in (
        Orientation(mirrored, turns) for mirrored in (False, True) for turns in range(4)
    )
}


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """The one of the eight upright orientations that is nearest to the frame's display matrix."""
    stated = _display_matrix(frame)
    if stated is None:
        return Orientation()
    return max(MATRICES, key=lambda orientation: float(np.sum(stated * MATRICES[orientation])))


def _display_matrix(frame: av.VideoFrame) -> NDArray[np.float64] | None:
    """What the frame's coordinates are multiplied with for display: (2, 2); None without any."""
    try:
        by_kind: Any = frame.side_data
        # FFmpeg's layout is a, b, u, c, d, v, x, y, w: x' = a x + c y, y' = b x + d y.
        a, b, _, c, d = np.frombuffer(by_kind[SideDataType.DISPLAYMATRIX], np.int32, 5)
        return np.array([[a, c], [b, d]], np.float64)
    except KeyError:
        return None
    except ValueError:  # PyAV does not know another kind of side data that the frame has.
        turn = np.deg2rad(frame.rotation)
        return np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def upright_size(
    frame: av.VideoFrame, sample_aspect: Fraction | None = None, rotate: int = 0
) -> tuple[int, int]:
    """Width and height of a frame as it is displayed, in square pixels; none is lost.

    Args:
        sample_aspect: width of the frame's pixels, for a height of 1; None for square ones.
        rotate: degrees clockwise, a multiple of 90, by which the displayed picture is turned.
    """
    width, height = frame.width, frame.height
    aspect = sample_aspect or SQUARE
    if Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL:
        width = _even_near(width * aspect) if aspect > 1 else width
        height = _even_near(height / aspect) if aspect < 1 else height
    sideways = orientation_of(frame).turned(rotate).sideways
    return (height, width) if sideways else (width, height)


def copy_upright(
    frame: av.VideoFrame, size: tuple[int, int], pixels: NDArray[np.uint8], rotate: int = 0
) -> None:
    """Copy a frame, turned upright and scaled to a size.

    Args:
        frame: as it was decoded.
        size: width and height of the upright picture.
        pixels: (h * 3 / 2, w) uint8, to be filled; h and w are the size, made even.
        rotate: as for ``upright_size``.
    """
    orientation = orientation_of(frame).turned(rotate)
    width, height = size[::-1] if orientation.sideways else size
    for target, plane in zip(yuv_planes(pixels), _planes(frame, width, height), strict=True):
        _fill(target, orientation.apply(plane))


def pixels_shape(size: tuple[int, int]) -> tuple[int, int]:
    """Shape of the pixels of one frame of this width and height."""
    return _even(size[1]) * 3 // 2, _even(size[0])


def _planes(frame: av.VideoFrame, width: int, height: int) -> list[NDArray[np.uint8]]:
    """Y, U and V of a frame scaled to a size: (h, w), (h / 2, w / 2) uint8 of limited range."""
    full_range = frame.color_range == av.video.reformatter.ColorRange.JPEG
    plain = frame.format.name == "yuv420p" and not full_range
    if not plain or (frame.width, frame.height) != (width, height):
        frame = reformat(
            frame, width=width, height=height, format="yuv420p", dst_color_range="MPEG"
        )
    return [plane_values(plane) for plane in frame.planes]


def _fill(target: NDArray[np.uint8], plane: NDArray[np.uint8]) -> None:
    """Copy a plane into one as large, or larger by one row or column, which is repeated."""
    height, width = plane.shape
    target[:height, :width] = plane
    target[:height, width:] = plane[:, -1:]
    target[height:] = target[height - 1]


def _even(size: int) -> int:
    return size + size % 2


def _even_near(size: Fraction) -> int:
    return max(2, round(size / 2) * 2)
