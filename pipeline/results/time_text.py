"""Times for people to read. ``web/clock.js`` writes them in the same way."""

from __future__ import annotations

import re
from math import ceil, floor

TIME = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):(?=[0-5]?\d(?:\.|$)))?(\d+(?:\.\d*)?)")
"""Hours and minutes, if any, and seconds."""

TENTHS_BELOW_S = 10
"""Timelines shorter than this have tenths of seconds."""

TICK_STEPS_S = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200
)  # fmt: skip
MAX_TICKS = 8


def seconds_of(text: str) -> float:
    """A time that a person wrote, in seconds.

    Raises:
        ValueError: it is none.

    Example:
        seconds_of("90"), seconds_of("1:30"), seconds_of("1:02:03.5")     # 90.0, 90.0 and 3723.5
    """
    match = TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text}: not a time, such as 90, 1:30 or 1:02:03.5")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds


def clock(at_s: float, end_s: float) -> str:
    """A time on a timeline that ends at ``end_s``, to the nearest second or tenth, halves up.

    Example:
        clock(65, 90), clock(3723, 4000), clock(2.5, 4)     # 1:05, 1:02:03 and 0:02.5
    """
    parts = 10 if end_s < TENTHS_BELOW_S else 1
    # Rounded before it is divided up, so that no minute has 60 seconds.
    minutes, rest = divmod(floor(max(at_s, 0.0) * parts + 0.5), 60 * parts)
    seconds = f"{rest // parts:02d}" + (f".{rest % parts}" if parts > 1 else "")
    if minutes < 60:
        return f"{minutes}:{seconds}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds}"


def ticks(end_s: float, start_s: float = 0.0) -> list[float]:
    """Times for the axis of a timeline that ends at ``end_s``, which ``clock`` writes exactly."""
    length_s = end_s - start_s
    longest_s = max(TICK_STEPS_S[-1], length_s // MAX_TICKS)
    step_s = next((step for step in TICK_STEPS_S if length_s < MAX_TICKS * step), longest_s)
    numbers = range(ceil(start_s / step_s), floor(end_s / step_s) + 1)
    return [round(number * step_s, 1) for number in numbers]
