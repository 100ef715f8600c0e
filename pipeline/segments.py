"""Runs of one expression of one person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """A person shows one expression for a while.

    Attributes:
        person: number of the track.
        emotion: which expression.
        start_s, end_s: from when to when, in seconds from the first frame.
        confidence: mean probability of the expression, 0 to 1.
        peak_s: when it was likeliest.
        peak_confidence: how likely it was then.
    """

    person: int
    emotion: str
    start_s: float
    end_s: float
    confidence: float
    peak_s: float
    peak_confidence: float
