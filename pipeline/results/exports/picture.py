"""Draw a timeline, for papers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from configs.schema import PictureSettings
from models.emotions import EMOTIONS
from pipeline.results.person import name_of
from pipeline.results.segments import COLOURS, LABELS, UNCLEAR, Segment, segments_by_person
from pipeline.results.time_text import clock, ticks
from pipeline.results.timeline import Timeline
from pipeline.results.video_result import VideoResult

CM_PER_IN = 2.54
MARGINS_CM = 2.6
"""Above and below the lanes: title, times and legend."""

DPI = 200
MAX_STEPS = 1500
"""Of a lane: about as many as the picture has columns of pixels; a segment has a share of them."""

LANE_SHARE = 0.9
"""Of the height from one lane to the next, for a probability of 1."""

MAX_SCALES = 12
"""With more lanes, the scale of probabilities is at the uppermost alone."""

GREY, PALE = "0.35", "0.88"


def draw_timeline(result: VideoResult, path: Path) -> None:
    """Draw one lane per person: colours show expressions, heights their probabilities.

    Args:
        path: file to write, ``.png`` or ``.svg``.

    Raises:
        OSError: it cannot be written.
    """
    timeline, segments, shown = result.timeline, result.segments, result.picture
    start_s, end_s = _part(timeline, shown)
    lanes, of_person = timeline.people or [0], segments_by_person(segments)
    height_cm = MARGINS_CM + shown.lane_cm * len(lanes)
    figure = Figure(
        figsize=(shown.width_cm / CM_PER_IN, height_cm / CM_PER_IN), layout="constrained"
    )
    axes = figure.add_subplot()
    for lane, person in enumerate(reversed(lanes)):
        for share in (0, 0.5, 1):
            axes.axhline(lane + LANE_SHARE * share, color=PALE, linewidth=0.5, zorder=0)
        within = [
            each for each in of_person[person] if each.start_s < end_s and each.end_s > start_s
        ]
        for segment, edges_s, heights in _outlines(timeline, within):
            axes.stairs(
                lane + LANE_SHARE * heights, edges_s, baseline=lane, fill=True,
                color=COLOURS[segment.emotion], linewidth=0,
            )  # fmt: skip
    names = [name_of(person, result.names) if person else "nobody" for person in reversed(lanes)]
    axes.set_yticks(np.arange(len(lanes)) + 0.4, names, parse_math=False)
    axes.set_ylim(-0.05, len(lanes))
    axes.set_xlim(start_s, max(end_s, start_s + 1e-3))
    times_s = ticks(end_s, start_s)
    axes.set_xticks(times_s, [clock(at_s, end_s - start_s) for at_s in times_s])
    axes.tick_params(length=0, labelcolor=GREY, labelsize=8)
    axes.spines[:].set_visible(False)
    axes.set_title(result.source.name, loc="left", fontsize=10, parse_math=False)
    _draw_scale(axes, len(lanes))
    there = [name for name in LABELS if any(segment.emotion == name for segment in segments)]
    if there:
        figure.legend(
            handles=[Patch(color=COLOURS[name], label=name) for name in there],
            loc="outside lower center", ncols=len(LABELS), frameon=False, fontsize=8,
            handlelength=1, handleheight=1,
        )  # fmt: skip
    with rc_context({"svg.fonttype": "none"}):  # Letters stay letters, to be searched and edited.
        figure.savefig(path, dpi=DPI, metadata={"Date": None} if path.suffix == ".svg" else None)


def _part(timeline: Timeline, shown: PictureSettings) -> tuple[float, float]:
    """From when to when the picture goes, in seconds from the first frame."""
    if not len(timeline):
        return 0.0, 1.0
    end_s = float(timeline.until_s[-1])
    start_s = min(max(shown.from_s, float(timeline.time_s[0])), end_s)
    return start_s, end_s if shown.to_s is None else min(max(shown.to_s, start_s), end_s)


def _draw_scale(axes: Axes, lanes: int) -> None:
    """Probabilities, on the right."""
    scale = axes.secondary_yaxis("right")
    marked = range(lanes) if lanes <= MAX_SCALES else (lanes - 1,)
    scale.set_yticks(
        [lane + LANE_SHARE * share for lane in marked for share in (0, 0.5, 1)],
        ["0", "50%", "100%"] * len(marked),
    )
    for label, edge in zip(scale.get_yticklabels(), cycle(("bottom", "center", "top"))):
        label.set(verticalalignment=edge)  # Those of two lanes do not touch.
    scale.tick_params(length=0, labelcolor=GREY, labelsize=5)
    scale.spines[:].set_visible(False)


def _outlines(
    timeline: Timeline, segments: Sequence[Segment]
) -> Iterator[tuple[Segment, NDArray[np.float64], NDArray[np.float64]]]:
    """The outline of each of one person's segments, in steps.

    Returns:
        The segment; (n + 1,), where steps begin and the last one ends, in seconds; (n,), the mean
        probability of its expression in each, of an unclear segment of whichever is the likeliest.
    """
    if not segments:
        return
    rows = timeline.rows_of(segments[0].track)
    times_s, length_s = timeline.time_s[rows], float(timeline.until_s[-1])
    for segment in segments:
        first, last = np.searchsorted(times_s, (segment.start_s, segment.end_s))
        probabilities = timeline.probabilities[rows[first : max(last, first + 1)]]
        if segment.emotion == UNCLEAR:
            shown = probabilities.max(axis=1).astype(np.float64)
        else:
            shown = probabilities[:, EMOTIONS.index(segment.emotion)].astype(np.float64)
        steps = min(len(shown), max(1, round(MAX_STEPS * segment.duration_s / max(length_s, 1e-9))))
        starts = np.arange(steps) * len(shown) // steps
        heights = np.add.reduceat(shown, starts) / np.diff(np.append(starts, len(shown)))
        yield segment, np.append(times_s[first + starts], segment.end_s), heights
