"""Times as people read them."""

from __future__ import annotations


def clock(at_s: float, end_s: float) -> str:
    """A time as it is written below a timeline of that length: 1:05, 1:02:03 or 0:02.5."""
    minutes, seconds = divmod(round(max(at_s, 0.0), 1), 60)
    text = f"{seconds:04.1f}" if end_s < 10 else f"{seconds:02.0f}"
    if minutes < 60:
        return f"{minutes:.0f}:{text}"
    return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{text}"
