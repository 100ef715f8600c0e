"""The one thing that flows: a batch of consecutive frames of one video, column-wise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from models.emotions import EMOTIONS, FACE_SIZE_PX


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video before its first frame is read.

    Attributes:
        width, height: size of the upright picture, in pixels.
        time_base: unit of ``FrameBatch.pts``, in seconds.
        start_pts: presentation timestamp of the first frame.
        start_s: time of the first frame, from the beginning of the file's earliest stream.
        rate: average frames a second.
        frames: number of frames that the container announces; 0 if it does not say.
        duration_s: length that the container announces; 0 if it does not say.
        codec: FFmpeg's name of the video codec.
        colorspace, color_primaries, color_trc: FFmpeg's numbers for the stream's colours.
    """

    width: int
    height: int
    time_base: Fraction
    start_pts: int
    start_s: float
    rate: Fraction
    frames: int
    duration_s: float
    codec: str
    colorspace: int
    color_primaries: int
    color_trc: int


LEFT_OUT = 0
"""Number of a face that is not shown, as it did not last."""

NO_PIXELS = np.empty((0, 0, 0), np.uint8)


def _empty(*shape: int, dtype: type = np.float32) -> Any:
    """A column before its stage has filled it."""
    return field(default_factory=lambda: np.empty((0, *shape), dtype))


@dataclass(frozen=True)
class FrameBatch:
    """Consecutive frames of one video, and what the stages have found in them so far.

    Every stage fills its own columns and passes the batch on. There are n frames, and m faces in
    all of them together, ordered by frame. Arrays may be read-only.

    Attributes:
        first_frame: number in the video of the first frame here.
        pts: (n,) int64, presentation timestamps in units of ``VideoInfo.time_base``.
        time_s: (n,) float64, seconds since the first frame of the video.
        pixels: (n, height * 3 / 2, width) uint8, planar YUV 4:2:0 of limited range, upright; sizes
            that are odd in the video are made even by repeating the last column or row.
        damage: what was broken in the video around these frames, for a person to read.
        arrived_s: (n,) float64, when a live stream's frames arrived, in seconds since the epoch.
        after_gap: a live stream was lost before these frames; who was in it is unknown.
        cuts: (n,) bool, whether a new shot begins with a frame.
        face_frame: (m,) int64, index into this batch of the frame that a face is in.
        boxes: (m, 4) float32, x, y, width, height in pixels of the upright frame.
        landmarks: (m, 5, 2) float32, x and y in pixels of both eyes, the nose and both corners of
            the mouth, the one further left in the picture first.
        scores: (m,) float32, confidence of the detector, 0 to 1.
        tracks: (m,) int64, number of the person, from 1; ``LEFT_OUT`` for a face not to be shown.
        crops: (m, 48, 48) uint8, aligned grey faces.
        probabilities: (m, 7) float32, in the order of ``EMOTIONS``.
        raw_probabilities: (m, 7) float32, the same before they were smoothed over time.
    """

    first_frame: int
    pts: np.ndarray
    time_s: np.ndarray
    pixels: np.ndarray = field(default_factory=lambda: NO_PIXELS)
    damage: str | None = None
    arrived_s: np.ndarray = _empty(dtype=np.float64)
    after_gap: bool = False
    cuts: np.ndarray = _empty(dtype=np.bool_)
    face_frame: np.ndarray = _empty(dtype=np.int64)
    boxes: np.ndarray = _empty(4)
    landmarks: np.ndarray = _empty(5, 2)
    scores: np.ndarray = _empty()
    tracks: np.ndarray = _empty(dtype=np.int64)
    crops: np.ndarray = _empty(FACE_SIZE_PX, FACE_SIZE_PX, dtype=np.uint8)
    probabilities: np.ndarray = _empty(len(EMOTIONS))
    raw_probabilities: np.ndarray = _empty(len(EMOTIONS))

    def __len__(self) -> int:
        return len(self.pts)

    def without_pixels(self) -> FrameBatch:
        """The light part, for stages that only need faces."""
        return replace(self, pixels=NO_PIXELS)

    def with_pixels_of(self, other: FrameBatch) -> FrameBatch:
        """The faces of this batch on the frames of another, whose full pixels it once was."""
        return replace(self, pixels=other.pixels)

    def faces_of(self, index: int) -> slice:
        """The faces of the frame at ``index``, as a slice of the face columns."""
        start, stop = np.searchsorted(self.face_frame, (index, index + 1))
        return slice(int(start), int(stop))
