"""Results with given timelines, without an analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow

from configs import VERSION
from configs.schema import Settings
from models.emotions import EMOTIONS
from pipeline.results.person import people_of
from pipeline.results.segments import segments_of
from pipeline.results.summary import PROGRAM, Provenance, Summary, public_settings
from pipeline.results.timeline import Timeline
from pipeline.results.video_result import VideoResult
from stages.batch import NOBODY

RATE = 25

Shown = tuple[int, float, float, str, float]
"""A person's number, from when until when, the expression and how likely it is."""


def result_of(timeline: Timeline, film: Path = Path("nowhere"), **fields: object) -> VideoResult:
    segments = segments_of(timeline)
    return VideoResult(
        source=Path("made.mp4"),
        film=film,
        film_starts_s=0.0,
        table=pyarrow.table({}),
        timeline=timeline,
        segments=segments,
        people=people_of(timeline, segments),
        provenance=provenance_of(),
        **fields,
    )


def provenance_of(**changed: object) -> Provenance:
    settings = Settings(**changed)
    return Provenance(public_settings(settings), {}, {PROGRAM: VERSION}, "made up")


def summary_of(result: VideoResult) -> Summary:
    frames = len(np.unique(result.timeline.frame))
    people = tuple(vars(person) for person in result.people)
    return Summary("made.mp4", "complete", frames=frames, people=people, video={"rate": RATE})


def timeline_of(*shown: Shown, length_s: float, usable: bool = True) -> Timeline:
    """A timeline in which people show one expression after the other."""
    frames = np.arange(round(length_s * RATE))
    rows: list[tuple[Any, int, Any]] = [(frame, NOBODY, [np.nan] * 7) for frame in frames]
    for person, from_s, until_s, emotion, likely in shown:
        shares = np.full(7, (1 - likely) / 6)
        shares[EMOTIONS.index(emotion)] = likely
        within = frames[(frames >= from_s * RATE) & (frames < until_s * RATE)]
        rows += [(frame, person, shares) for frame in within]
    rows.sort(key=lambda row: row[:2])
    frame, track, probabilities = (np.array(column) for column in zip(*rows, strict=True))
    return _timeline(frame, track, probabilities, usable)


def many_people(length_s: float, people: int, change_s: float) -> Timeline:
    """People who are seen all of the time, and change their expression at random.

    Args:
        change_s: mean time until another expression.
    """
    rng = np.random.default_rng(0)
    frames = np.arange(round(length_s * RATE))
    of_people = []
    for _ in range(people):
        changes = np.sort(rng.integers(0, len(frames), round(length_s / change_s)))
        expressions = rng.integers(0, len(EMOTIONS), len(changes) + 1)
        likeliest = expressions[np.searchsorted(changes, frames, side="right")]
        probabilities = np.full((len(frames), len(EMOTIONS)), 0.05)
        waves = 0.6 + 0.1 * np.sin(frames / rng.uniform(5, 50))
        probabilities[frames, likeliest] = waves + rng.normal(0, 0.01, len(frames))
        of_people.append(probabilities / probabilities.sum(axis=1, keepdims=True))
    track = np.tile(np.arange(1, people + 1), len(frames))
    return _timeline(
        np.repeat(frames, people), track, np.stack(of_people, axis=1).reshape(-1, 7), True
    )


def _timeline(
    frame: np.ndarray, track: np.ndarray, probabilities: np.ndarray, usable: bool
) -> Timeline:
    nowhere = np.full((len(frame), 4), np.nan, np.float32)
    return Timeline(
        frame=frame,
        time_s=frame / RATE,
        track=track,
        boxes=nowhere,
        score=nowhere[:, 0],
        probabilities=probabilities.astype(np.float32),
        usable=(track != NOBODY) & usable,
    )
