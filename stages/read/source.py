"""What is known of a film before its frames are read, and where the frames come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import av


@dataclass(frozen=True)
class Stated:
    """What a film states of itself.

    Attributes:
        time_base: unit of its frames' timestamps, in seconds; None if unknown.
        rate: frames per second; None if unknown.
        frames: number of frames; 0 if unknown.
        duration_s: 0 if unknown.
        start_s: when its earliest stream begins, by its own clock.
        codec: FFmpeg's name of the video codec.
        sample_aspect: width of a pixel, for a height of 1; None if unknown.
        only_dts: it has only decoding timestamps.
        first_dts: the decoding timestamp that it states for its first frame.
        colorspace, color_primaries, color_trc: FFmpeg's numbers for its colours.
    """

    time_base: Fraction | None
    rate: Fraction | None
    frames: int
    duration_s: float
    start_s: float
    codec: str
    sample_aspect: Fraction | None = None
    only_dts: bool = False
    first_dts: int = 0
    colorspace: int = 2
    color_primaries: int = 2
    color_trc: int = 2


class FrameSource(Protocol):
    """Decodes the frames of a film.

    Attributes:
        faults: the damage found so far, in words; whoever reports it clears the list.
    """

    faults: list[str]

    @property
    def stated(self) -> Stated:
        """What the film states of itself; once its first frame is decoded."""
        ...

    def frames(self) -> Iterator[av.VideoFrame]:
        """Every frame that can be decoded, in order of presentation, once."""
        ...

    def stop(self) -> None:
        """Let ``frames`` end soon, and not take what follows for lost."""
        ...

    def close(self) -> None: ...
