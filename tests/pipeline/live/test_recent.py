"""What is kept of the last minute of a stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.live import stream as recent
from pipeline.live.stream import RecentFaces
from stages.batch import NOBODY, FrameBatch
from tests.stages.batches import batch_of

BOX = (0.0, 0.0, 20.0, 20.0)


def finalised(frames: int, first_frame: int = 0, **columns: Any) -> FrameBatch:
    """A face in each of these frames, 25 a second."""
    batch = batch_of([[BOX]] * frames, first_frame=first_frame)
    faces: dict[str, Any] = {
        "people": np.ones(frames, np.int64),
        "usable": np.ones(frames, bool),
        "probabilities": np.tile(np.array([0, 0, 0, 0.7, 0.3, 0, 0], np.float32), (frames, 1)),
    }
    return replace(batch, **{**faces, **columns})


def test_a_few_faces_a_second_are_kept_for_a_minute() -> None:
    faces = RecentFaces(0.5)
    for second in range(90):
        faces.take(finalised(25, 25 * second))
    times_s = [point["time_s"] for point in faces.since(-1.0)]
    assert times_s[-1] - times_s[0] == pytest.approx(60, abs=0.5)
    assert np.diff(times_s).min() >= 0.199
    assert len(times_s) == pytest.approx(300, abs=5)
    assert all(point["time_s"] > 89 for point in faces.since(89.0))


def test_faces_that_are_not_to_be_relied_on_are_marked_and_nobody_is_left_out() -> None:
    faces = RecentFaces(0.5)
    unlikely = np.tile(np.array([0.4, 0.3, 0.3, 0, 0, 0, 0], np.float32), (1, 1))
    faces.take(finalised(1, 0))
    faces.take(finalised(1, 10, usable=np.zeros(1, bool)))
    faces.take(finalised(1, 20, probabilities=unlikely))
    faces.take(finalised(1, 30, people=np.array([NOBODY])))
    assert [point["low"] for point in faces.since(-1.0)] == [False, True, True]


def test_a_crowd_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MAX_POINTS", 50)
    faces = RecentFaces(0.5)
    for second in range(20):
        faces.take(finalised(25, 25 * second))
    points = faces.since(-1.0)
    assert len(points) == 50
    assert points[-1]["time_s"] > 19
