"""The data that flows from stage to stage: consecutive frames of one video, column-wise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crops import Crop
from models.emotions import EMOTIONS, FACE_SIZE_PX

NOBODY = 0
"""Person id of a face that is not shown, as it was seen for too short a time."""

NO_PIXELS = np.empty((0, 0, 0), np.uint8)

RECENT_FRAMES = 9
"""A frame without a next one is shown for the usual time of so many before it."""


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video before its frames are read.

    Attributes:
        width, height: size of the upright picture, in square pixels.
        time_base: unit of ``FrameBatch.pts``, in seconds.
        start_pts: presentation timestamp of the first frame.
        start_s: time of the first frame, from the beginning of the file's earliest stream.
        rate: average frames a second.
        frames: number of frames to read, by what the container states; 0 if it does not.
        duration_s: duration that the container states; 0 if it does not.
        codec: FFmpeg's name of the video codec.
        rotate: degrees clockwise by which pictures are turned, beyond what the file says.
        from_s, to_s: the part that is read, in seconds from the first frame.
        every: of the frames, only those are read whose number is a multiple of this.
        colorspace: FFmpeg's number for that of the pixels; if the stream does not state it, what
            players take it for.
        color_primaries, color_trc: FFmpeg's numbers for the stream's colours.
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
    rotate: int = 0
    from_s: float = 0.0
    to_s: float = inf
    every: int = 1


@dataclass(frozen=True)
class Gap:
    """A time of a live stream without frames, or without frames in a file of its recording.

    Attributes:
        from_s: time of the last frame before it.
        to_s: time of the first frame after it; None while there is none.
        reason: why there are none, in words.
    """

    from_s: float
    to_s: float | None
    reason: str


def _empty(*shape: int, dtype: type = np.float32) -> Any:
    """A column before its stage has filled it."""
    return field(default_factory=lambda: np.empty((0, *shape), dtype))


@dataclass(frozen=True)
class FrameBatch:
    """Consecutive frames of one video, and what the stages have found in them so far.

    Every stage fills its own columns and passes the batch on. There are n frames, with m faces in
    all of them together, ordered by frame. Arrays may be read-only.

    Example:
        for index, time_s in enumerate(batch.time_s):
            print(time_s, batch.boxes[batch.faces_of(index)])

    Attributes:
        first_frame: number of the first of these frames in the video, from 0.
        frame_step: difference of the numbers of consecutive frames.
        left_out: frames of the part that were left out before the last of these, by ``every``.
        before_part: frames that were left out because they are before the part.
        pts: (n,) int64, presentation timestamps in units of ``VideoInfo.time_base``.
        time_s: (n,) float64, seconds since the first frame of the video.
        pixels: (n, height * 3 / 2, width) uint8, planar YUV 4:2:0 of limited range, upright; an odd
            width or height is made even by repeating the last column or row.
        damage: what is broken in the video around these frames, in words.
        input_sha256: in a file's last batch, the hash of its bytes; None if it cannot be read.
        turn: degrees clockwise by which faces would be upright, by what was seen so far; None if it
            was not looked at.
        arrived_s: (n,) float64, when a live stream's frames arrived, in seconds since the epoch.
        after_gap: a live stream was interrupted before these frames, or its picture has another
            size from here on, so all tracks end.
        info: of a live stream, what is known of it from here on, where its picture has another size
            than before, and at its beginning.
        cuts: (n,) bool, whether a new shot begins with this frame.
        face_frame: (m,) int64, index in this batch of the frame that the face is in.
        boxes: (m, 4) float32, x, y, width, height in pixels of the upright frame.
        landmarks: (m, 5, 2) float32, x and y in pixels: eyes, nose, corners of the mouth; of a
            pair, the one further left in the picture first.
        scores: (m,) float32, confidence of the detector, 0 to 1.
        shot_tracks: (m,) int64, track ids, from 1: one face followed within one shot.
        crops: (m, 48, 48) uint8, aligned grey faces.
        crop_sides: (m,) float32, side in the frame of the square that a crop shows, in pixels.
        further_crops: by kind, (m, ...) uint8 each, what further networks see; empty without faces.
        usable: (m,) bool, whether the face is large enough, and seen enough from the front, for its
            expression to be relied on.
        probabilities: (m, 7) float32, in the order of ``EMOTIONS``; finalised, smoothed over time.
        values: (m, k) float32, further outputs of networks, in the order of the run's columns;
            finalised, smoothed over time.
        people: (m,) int64, person ids, from 1, once finalised; ``NOBODY`` for a face that is not
            shown.
        raw_probabilities: (m, 7) float32, once finalised: those that the network gave.
        raw_values: (m, k) float32, once finalised: those that networks gave.
    """

    first_frame: int
    pts: NDArray[np.int64]
    time_s: NDArray[np.float64]
    pixels: NDArray[np.uint8] = field(default_factory=lambda: NO_PIXELS)
    frame_step: int = 1
    left_out: int = 0
    before_part: int = 0
    damage: str | None = None
    input_sha256: str | None = None
    turn: int | None = None
    arrived_s: NDArray[np.float64] = _empty(dtype=np.float64)
    after_gap: bool = False
    info: VideoInfo | None = None
    cuts: NDArray[np.bool_] = _empty(dtype=np.bool_)
    face_frame: NDArray[np.int64] = _empty(dtype=np.int64)
    boxes: NDArray[np.float32] = _empty(4)
    landmarks: NDArray[np.float32] = _empty(5, 2)
    scores: NDArray[np.float32] = _empty()
    shot_tracks: NDArray[np.int64] = _empty(dtype=np.int64)
    crops: NDArray[np.uint8] = _empty(FACE_SIZE_PX, FACE_SIZE_PX, dtype=np.uint8)
    crop_sides: NDArray[np.float32] = _empty()
    further_crops: Mapping[Crop, NDArray[np.uint8]] = field(default_factory=dict)
    usable: NDArray[np.bool_] = _empty(dtype=np.bool_)
    probabilities: NDArray[np.float32] = _empty(len(EMOTIONS))
    values: NDArray[np.float32] = _empty(0)
    people: NDArray[np.int64] = _empty(dtype=np.int64)
    raw_probabilities: NDArray[np.float32] = _empty(len(EMOTIONS))
    raw_values: NDArray[np.float32] = _empty(0)

    def __len__(self) -> int:
        return len(self.pts)

    def without_pixels(self) -> FrameBatch:
        """The same faces without the frames, which are large."""
        return replace(self, pixels=NO_PIXELS)

    def without_crops(self) -> FrameBatch:
        """The same faces without what only further networks see, which is large."""
        return replace(self, further_crops={}) if self.further_crops else self

    def with_outputs(self, *given: FrameBatch) -> FrameBatch:
        """These faces with what networks gave of them, behind the ``values`` that they have."""
        values = [each.values for each in (self, *given) if len(each.values) == len(self.boxes)]
        seven = [each.probabilities for each in given if each.probabilities.size]
        return replace(
            self,
            probabilities=seven[0] if seven else self.probabilities,
            values=np.hstack(values) if values else self.values,
        )

    def crops_of(self, kind: Crop) -> NDArray[np.uint8]:
        """The faces as a network sees them: (m, ...) uint8."""
        if kind.is_own:
            return self.crops
        return self.further_crops.get(kind, np.empty((0, *kind.shape), np.uint8))

    def with_pixels_of(self, other: FrameBatch) -> FrameBatch:
        """These faces with the frames of another batch: the one that they were found in."""
        return replace(self, pixels=other.pixels)

    def faces_of(self, index: int) -> slice:
        """The faces of the frame at ``index``, as a slice of the face columns."""
        start, stop = np.searchsorted(self.face_frame, (index, index + 1))
        return slice(int(start), int(stop))


def shown_until_s(time_s: NDArray[np.float64], gaps_s: Sequence[float] = ()) -> NDArray[np.float64]:
    """The time of the next frame.

    The last frame, and the last one before a gap in a live stream, are shown for as long as those
    before them usually are.

    Args:
        time_s: (n,) float64, times of all frames, in order.
        gaps_s: times at which the stream was lost.

    Returns:
        (n,) float64, in seconds; a frame that is alone has no duration.
    """
    if not len(time_s):
        return time_s
    until_s = np.append(time_s[1:], time_s[-1])
    before_gaps = np.searchsorted(time_s, np.asarray(gaps_s, np.float64), side="right") - 1
    without_next = np.unique(np.append(before_gaps[before_gaps >= 0], len(time_s) - 1))
    has_next = np.ones(len(time_s), bool)
    has_next[without_next] = False
    for frame in without_next:
        recent = np.flatnonzero(has_next[:frame])[-RECENT_FRAMES:]
        until_s[frame] = time_s[frame] + usual_s((time_s[recent + 1] - time_s[recent]).tolist())
    return until_s


def usual_s(intervals_s: Iterable[float]) -> float:
    """The median interval between frames; 0 if there is none."""
    return float(median(intervals_s or [0.0]))
