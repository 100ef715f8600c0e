"""The rows of the timeline: one for each face, one for a frame without any, all consistent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from models.emotions import EMOTIONS
from stages.batch import FrameBatch
from stages.columns import (
    PROBABILITY_STEPS,
    TIMELINE,
    column_names,
    rounded_to_steps,
    timeline_columns,
)
from stages.write.timeline_table import RowMaker
from tests.stages.batches import batch_of

COLUMNS = column_names(TIMELINE)
BOX = (10.0, 20.0, 30.0, 40.0)


def random_probabilities(count: int) -> np.ndarray:
    """From even to nearly certain: (count, 7) float32, as a network gives them."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(count, 7)) * rng.uniform(0, 20, (count, 1))
    values = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float32)
    return values / values.sum(axis=1, keepdims=True)


FACE = np.array([(-10, 0), (10, 0), (0, 10), (-8, 20), (8, 20)], np.float32)
"""Landmarks of an upright face, 20 pixels from eye to eye."""


def classified(batch: FrameBatch) -> FrameBatch:
    count = len(batch.boxes)
    return replace(
        batch,
        scores=np.full(count, 0.9, np.float32),
        landmarks=np.tile(FACE, (count, 1, 1)),
        usable=np.ones(count, np.bool_),
        people=np.arange(1, count + 1),
        probabilities=random_probabilities(count),
    )


def rows_of(*batches: FrameBatch) -> list[dict[str, str]]:
    maker = RowMaker()
    return [dict(zip(COLUMNS, row, strict=True)) for batch in batches for row in maker.rows(batch)]


def test_each_frame_has_its_rows_in_order() -> None:
    first = classified(batch_of([[BOX], [], [BOX, BOX]]))
    second = classified(batch_of([[], [BOX]], first_frame=3))
    rows = rows_of(first, second)
    assert [row["frame"] for row in rows] == ["0", "1", "2", "2", "3", "4"]
    assert [float(row["time_s"]) for row in rows] == [0, 0.04, 0.08, 0.08, 0.12, 0.16]
    for row in rows:
        empty = row["frame"] in ("1", "3")
        assert all((row[name] == "") == empty for name in COLUMNS[2:-1])
    assert [rows[0][name] for name in ("x", "y", "width", "height")] == [
        "10.0", "20.0", "30.0", "40.0"
    ]  # fmt: skip


def test_printed_probabilities_sum_to_1_and_name_the_likeliest() -> None:
    for row in rows_of(classified(batch_of([[BOX]] * 500))):
        printed = {emotion: Decimal(row[emotion]) for emotion in EMOTIONS}
        assert sum(printed.values()) == 1
        assert printed[row["emotion"]] == max(printed.values())
        assert min(printed.values()) >= 0


def test_frames_without_a_face_say_why() -> None:
    batch = replace(classified(batch_of([[BOX], [], [BOX]])), people=np.array([0, 1]))
    maker = RowMaker(timeline_columns(keep_raw=True))
    batch = replace(batch, raw_probabilities=batch.probabilities, frame_step=5)
    rows = [dict(zip(maker.columns, row, strict=True)) for row in maker.rows(batch)]
    assert [row["no_face"] for row in rows] == ["left out", "none found", ""]
    assert [row["frame"] for row in rows] == ["0", "5", "10"]
    maker.count(batch)
    assert maker.empty == {"left out": 1, "none found": 1}


def test_valence_is_that_of_the_printed_probabilities() -> None:
    for row in rows_of(classified(batch_of([[BOX]] * 200))):
        worst = max(Decimal(row[name]) for name in ("angry", "disgust", "fear", "sad"))
        assert Decimal(row["valence"]) == Decimal(row["happy"]) - worst


def turned(landmarks: np.ndarray, degrees: float, scale: float) -> np.ndarray:
    """Turned clockwise in the picture, whose y grows downwards."""
    turn = scale * np.exp(1j * np.deg2rad(degrees))
    points = (landmarks @ (1, 1j)) * turn
    return np.stack([points.real, points.imag], axis=1)


def test_eyes_and_their_turn_are_measured() -> None:
    placed = [(0, 1), (30, 1), (-45.04, 0.5), (170, 0.499), (0, 0.49)]
    batch = classified(batch_of([[BOX]] * len(placed)))
    landmarks = np.array([turned(FACE, *place) for place in placed], np.float32) + 300
    usable = np.array([True, False, True, True, False])
    batch = replace(batch, landmarks=landmarks, usable=usable)
    rows = rows_of(batch)
    assert [row["eyes_px"] for row in rows] == ["20.0", "20.0", "10.0", "10.0", "9.8"]
    assert [row["roll_deg"] for row in rows] == ["0.0", "30.0", "-45.0", "170.0", "0.0"]
    assert [row["usable"] for row in rows] == ["1", "0", "1", "1", "0"]
    guessing = RowMaker(measured=False)
    rows = [dict(zip(guessing.columns, row, strict=True)) for row in guessing.rows(batch)]
    assert {row["roll_deg"] for row in rows} == {""}  # Not a zero that nobody measured.


def test_frames_faces_and_people_are_counted() -> None:
    maker = RowMaker()
    for batch in (batch_of([[BOX], []]), batch_of([[BOX, BOX]], first_frame=2), batch_of([])):
        maker.count(classified(batch))
    assert (maker.frames, maker.faces, maker.people) == (3, 3, 2)
    assert maker.duration_s == pytest.approx(0.08)


@pytest.mark.parametrize(
    "row",
    [
        [1, 0, 0, 0, 0, 0, 0],
        [1 / 7] * 7,
        [0.5, 0.5, 0, 0, 0, 0, 0],
        [0.33333, 0.33333, 0.33334, 0, 0, 0, 0],
        [0.99996, 0.00004, 0, 0, 0, 0, 0],
        [0.5 + 6e-8, 0.5 + 6e-8, 0, 0, 0, 0, 0],  # What float32 makes of a sum of 1.
        [0.4999999, 0.4999999, 0, 0, 0, 0, 0],
    ],
)
def test_rounding_keeps_the_sum_and_stays_near(row: list[float]) -> None:
    exact = np.array([row], np.float32)
    steps = rounded_to_steps(exact)
    assert steps.sum() == PROBABILITY_STEPS
    assert np.abs(steps - exact * PROBABILITY_STEPS).max() <= 1
    assert steps[0].argmax() == exact[0].argmax()


def test_rounding_many_rows() -> None:
    exact = random_probabilities(5000)
    steps = rounded_to_steps(exact)
    assert (steps.sum(axis=1) == PROBABILITY_STEPS).all()
    assert np.abs(steps - exact * PROBABILITY_STEPS).max() < 1.01
    assert rounded_to_steps(np.empty((0, 7), np.float32)).shape == (0, 7)
