"""Which faces are shown, under which person id, and their expression over time."""

import tracemalloc

import numpy as np
import pytest

from configs.schema import SmoothSettings, TrackSettings
from stages.batch import NOBODY, FrameBatch
from stages.people.settle import Settler

SURE, UNSURE = np.eye(7, dtype=np.float32)[3], np.eye(7, dtype=np.float32)[5]


def batches(
    time_s: np.ndarray, *people: tuple[range, np.ndarray], size: int = 16, gap_at: int = -1
) -> list[FrameBatch]:
    """A video in which each person is there in some frames, with the same probabilities."""
    made = []
    for first in range(0, len(time_s), size):
        frames = range(first, min(first + size, len(time_s)))
        faces = [
            (frame - first, number, probabilities)
            for frame in frames
            for number, (there, probabilities) in enumerate(people, 1)
            if frame in there
        ]
        made.append(
            FrameBatch(
                first_frame=first,
                pts=np.array(frames),
                time_s=time_s[first : frames.stop],
                after_gap=first == gap_at,
                face_frame=np.array([face[0] for face in faces], np.int64),
                boxes=np.zeros((len(faces), 4), np.float32),
                tracks=np.array([face[1] for face in faces], np.int64),
                probabilities=np.array([face[2] for face in faces], np.float32).reshape(-1, 7),
            )
        )
    return made


def settled(
    made: list[FrameBatch], window_s: float = 0.4, min_s: float = 0.25, live: bool = False
) -> list[FrameBatch]:
    settler = Settler(TrackSettings(min_s=min_s), SmoothSettings(window_s=window_s), live)
    results = [result for batch in made for result in settler.process(batch)]
    results += settler.flush()
    assert [batch.first_frame for batch in results] == [batch.first_frame for batch in made]
    return results


def column(results: list[FrameBatch], name: str) -> np.ndarray:
    return np.concatenate([getattr(batch, name) for batch in results])


THIRTIETHS = np.arange(64) / 30


def test_a_face_of_a_few_frames_is_left_out_and_the_others_get_ids_without_gaps() -> None:
    made = batches(
        THIRTIETHS, (range(20, 24), SURE), (range(10, 64), SURE), (range(40, 64), UNSURE)
    )
    results = settled(made)
    people, tracks = column(results, "people"), column(results, "tracks")
    assert set(people[tracks == 1]) == {NOBODY}
    assert set(people[tracks == 2]) == {1}
    assert set(people[tracks == 3]) == {2}


def test_a_face_that_is_found_on_and_off_is_shown_from_its_first_frame() -> None:
    made = batches(THIRTIETHS, (range(0, 64, 2), SURE))
    assert set(column(settled(made), "people")) == {1}


@pytest.mark.parametrize("frames", [1, 5])
def test_a_very_short_video_keeps_its_faces(frames: int) -> None:
    made = batches(THIRTIETHS[:frames], (range(frames), SURE))
    assert set(column(settled(made), "people")) == {1}


def test_live_shows_a_face_once_it_has_lasted() -> None:
    made = batches(THIRTIETHS, (range(64), SURE), size=2)
    settler = Settler(TrackSettings(min_s=0.25), SmoothSettings(), live=True)
    shown = []
    for batch in made:
        (now,) = settler.process(batch)  # Nothing is held back.
        assert now.first_frame == batch.first_frame
        shown += (now.people != NOBODY).tolist()
    assert not any(shown[:7])
    assert all(shown[10:])


def flip(time_s: np.ndarray, at_s: float) -> list[FrameBatch]:
    """One person whose expression changes at once."""
    made = batches(time_s, (range(len(time_s)), SURE))
    for batch in made:
        batch.probabilities[batch.time_s >= at_s] = UNSURE
    return made


def test_flicker_is_smoothed_and_the_time_of_a_change_stays() -> None:
    made = flip(THIRTIETHS, at_s=1.0)
    made[0].probabilities[5] = UNSURE
    results = settled(made)
    probabilities = column(results, "probabilities")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    likeliest = probabilities.argmax(axis=1)
    assert set(likeliest[:29]) == {3}
    assert set(likeliest[31:]) == {5}
    np.testing.assert_array_equal(
        column(results, "raw_probabilities"), column(made, "probabilities")
    )


def test_the_average_is_over_time_and_not_over_frames() -> None:
    """With five times as many frames per second before a change, its time stays the same."""
    time_s = np.concatenate([np.arange(0, 1, 0.01), np.arange(1, 2, 0.05)])
    likeliest = column(settled(flip(time_s, at_s=1.0)), "probabilities").argmax(axis=1)
    changed_s = time_s[np.flatnonzero(likeliest == 5)[0]]
    assert changed_s == pytest.approx(1.0, abs=0.051)


def test_live_averages_only_the_past() -> None:
    results = settled(flip(THIRTIETHS, at_s=1.0), live=True, min_s=0)
    probabilities = column(results, "probabilities")
    assert set(probabilities[:30].argmax(axis=1)) == {3}
    assert (np.diff(probabilities[30:38, 5]) > 0).all()
    assert set(probabilities[36:].argmax(axis=1)) == {5}


def test_smoothing_can_be_switched_off() -> None:
    made = flip(THIRTIETHS, at_s=1.0)
    results = settled(made, window_s=0, min_s=0)
    np.testing.assert_array_equal(column(results, "probabilities"), column(made, "probabilities"))


def test_people_do_not_mix() -> None:
    made = batches(THIRTIETHS, (range(64), SURE), (range(64), UNSURE))
    results = settled(made)
    people, probabilities = column(results, "people"), column(results, "probabilities")
    np.testing.assert_allclose(probabilities[people == 1], np.tile(SURE, (64, 1)), atol=1e-6)
    np.testing.assert_allclose(probabilities[people == 2], np.tile(UNSURE, (64, 1)), atol=1e-6)


def test_memory_does_not_grow_with_the_video() -> None:
    settler = Settler(TrackSettings(), SmoothSettings())
    made = batches(np.arange(6400) / 30, (range(6400), SURE))
    held_bytes = np.zeros(len(made))
    tracemalloc.start()
    try:
        for number, batch in enumerate(made):
            settler.process(batch)
            held_bytes[number] = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held_bytes[50:].max() < 1.2 * held_bytes[:50].max()
