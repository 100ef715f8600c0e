"""Draw a timeline, for papers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pipeline.results.clock import clock, ticks
from pipeline.results.outlines import COLOURS_RGB, outlines_of
from pipeline.results.segments import LABELS, Segment, segments_by_person
from pipeline.results.timeline import Timeline

WIDTH_IN, LANE_IN, MARGINS_IN = 9.0, 0.55, 1.25
DPI = 200
MAX_STEPS = 1500
"""Of a lane: about as many as the picture has columns of pixels."""

GREY = "0.35"


def draw_timeline(timeline: Timeline, segments: Sequence[Segment], title: str, path: Path) -> None:
    """Draw one lane per person: colours show expressions, heights their probabilities.

    Args:
        path: file to write, ``.png`` or ``.svg``.

    Raises:
        OSError: it cannot be written.
    """
    lanes, of_person = timeline.people or [0], segments_by_person(segments)
    figure = Figure(figsize=(WIDTH_IN, MARGINS_IN + LANE_IN * len(lanes)), layout="constrained")
    axes = figure.add_subplot()
    for lane, person in enumerate(reversed(lanes)):
        axes.axhline(lane, color="0.85", linewidth=0.6, zorder=0)
        for outline in outlines_of(timeline, of_person[person], MAX_STEPS):
            axes.stairs(
                lane + 0.8 * outline.heights, outline.edges_s, baseline=lane, fill=True,
                color=_colour(outline.segment.emotion), linewidth=0,
            )  # fmt: skip
    axes.set_yticks(np.arange(len(lanes)) + 0.4, _names(lanes))
    axes.set_ylim(-0.1, len(lanes))
    end_s = float(timeline.until_s[-1]) if len(timeline) else 1.0
    start_s = float(timeline.time_s[0]) if len(timeline) else 0.0
    axes.set_xlim(start_s, max(end_s, start_s + 1e-3))
    times_s = ticks(end_s, start_s)
    axes.set_xticks(times_s, [clock(at_s, end_s - start_s) for at_s in times_s])
    axes.tick_params(length=0, labelcolor=GREY, labelsize=8)
    axes.spines[:].set_visible(False)
    axes.set_title(title, loc="left", fontsize=10, parse_math=False)
    shown = [name for name in LABELS if any(segment.emotion == name for segment in segments)]
    if shown:
        figure.legend(
            handles=[Patch(color=_colour(name), label=name) for name in shown],
            loc="outside lower center", ncols=len(LABELS), frameon=False, fontsize=8,
            handlelength=1, handleheight=1,
        )  # fmt: skip
    figure.savefig(path, dpi=DPI, metadata={"Date": None} if path.suffix == ".svg" else None)


def _names(lanes: Sequence[int]) -> list[str]:
    return [f"Person {person}" if person else "nobody" for person in reversed(lanes)]


def _colour(emotion: str) -> str:
    red, green, blue = COLOURS_RGB[emotion]
    return f"#{red:02x}{green:02x}{blue:02x}"
