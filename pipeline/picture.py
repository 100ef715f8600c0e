"""A picture of a timeline, for papers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from models.emotions import EMOTIONS
from pipeline.segments import Segment
from pipeline.timeline import Timeline
from stages.annotate import COLOURS_RGB

WIDTH_IN, LANE_IN, REST_IN = 9.0, 0.55, 1.25
DPI = 200
MOST_POINTS = 1500
"""Of a lane: more than the picture has columns of ink would only make the file large."""

GREY = "0.35"


def draw_timeline(timeline: Timeline, segments: Sequence[Segment], title: str, path: Path) -> None:
    """Draw a lane a person, coloured by expression, as high as the expression is likely.

    Args:
        path: file to write; its ending says how: ``.png`` or ``.svg``.

    Raises:
        OSError: it cannot be written.
    """
    lanes = timeline.people or [0]
    figure = Figure(figsize=(WIDTH_IN, REST_IN + LANE_IN * len(lanes)), layout="constrained")
    axes = figure.add_subplot()
    for lane, person in enumerate(reversed(lanes)):
        axes.axhline(lane, color="0.85", linewidth=0.6, zorder=0)
        for segment in segments:
            if segment.track == person:
                _fill(axes, timeline, segment, lane)
    axes.set_yticks(np.arange(len(lanes)) + 0.4, _names(lanes))
    axes.set_ylim(-0.1, len(lanes))
    end_s = float(timeline.until_s[-1]) if len(timeline) else 1.0
    axes.set_xlim(0, max(end_s, 1e-3))
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 1.5, 2, 3, 5, 6, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at_s, _: clock(at_s, end_s)))
    axes.tick_params(length=0, labelcolor=GREY, labelsize=8)
    axes.spines[:].set_visible(False)
    axes.set_title(title, loc="left", fontsize=10, parse_math=False)
    shown = [name for name in EMOTIONS if any(segment.emotion == name for segment in segments)]
    if shown:
        figure.legend(
            handles=[Patch(color=_colour(name), label=name) for name in shown],
            loc="outside lower center", ncols=len(EMOTIONS), frameon=False, fontsize=8,
            handlelength=1, handleheight=1,
        )  # fmt: skip
    figure.savefig(path, dpi=DPI, metadata={"Date": None} if path.suffix == ".svg" else None)


def clock(at_s: float, end_s: float) -> str:
    """A time as it is written below a timeline of that length: 1:05, 1:02:03 or 0:02.5."""
    minutes, seconds = divmod(round(max(at_s, 0.0), 1), 60)
    text = f"{seconds:04.1f}" if end_s < 10 else f"{seconds:02.0f}"
    if minutes < 60:
        return f"{minutes:.0f}:{text}"
    return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{text}"


def _names(lanes: Sequence[int]) -> list[str]:
    return [f"Person {person}" if person else "nobody" for person in reversed(lanes)]


def _fill(axes: Axes, timeline: Timeline, segment: Segment, lane: int) -> None:
    rows = timeline.rows_of(segment.track)
    times_s = timeline.time_s[rows]
    rows = rows[
        (times_s >= segment.start_s) & (times_s < max(segment.end_s, segment.start_s + 1e-6))
    ]
    share = (segment.end_s - segment.start_s) / max(float(timeline.until_s[-1]), 1e-6)
    bins = np.array_split(rows, min(len(rows), max(1, round(MOST_POINTS * share))))
    edges_s = [*(timeline.time_s[part[0]] for part in bins), segment.end_s]
    emotion = EMOTIONS.index(segment.emotion)
    heights = [float(timeline.probabilities[part, emotion].mean()) for part in bins]
    axes.stairs(
        lane + 0.8 * np.array(heights), edges_s, baseline=lane, fill=True,
        color=_colour(segment.emotion), linewidth=0,
    )  # fmt: skip


def _colour(emotion: str) -> str:
    red, green, blue = COLOURS_RGB[emotion]
    return f"#{red:02x}{green:02x}{blue:02x}"
