"""Which faces are shown, under which person id, and their expression over time."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from configs.schema import SmoothSettings, TrackSettings
from stages.batch import NOBODY, FrameBatch
from stages.people.descriptor import SIDE_PX
from stages.people.finalise import Finaliser
from stages.people.reidentify import TEMPLATE_PX, FaceReidentifier

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
                shot_tracks=np.array([face[1] for face in faces], np.int64),
                probabilities=np.array([face[2] for face in faces], np.float32).reshape(-1, 7),
            )
        )
    return made


def finalised(
    made: list[FrameBatch], window_s: float = 0.4, min_s: float = 0.25, live: bool = False
) -> list[FrameBatch]:
    finaliser = Finaliser(TrackSettings(min_s=min_s), SmoothSettings(window_s=window_s), live)
    results = [result for batch in made for result in finaliser.process(batch)]
    results += finaliser.flush()
    assert [batch.first_frame for batch in results] == [batch.first_frame for batch in made]
    return results


def column(results: list[FrameBatch], name: str) -> np.ndarray:
    return np.concatenate([getattr(batch, name) for batch in results])


THIRTIETHS = np.arange(64) / 30


def test_a_face_of_a_few_frames_is_left_out_and_the_others_get_ids_without_gaps() -> None:
    made = batches(
        THIRTIETHS, (range(20, 24), SURE), (range(10, 64), SURE), (range(40, 64), UNSURE)
    )
    results = finalised(made)
    people, tracks = column(results, "people"), column(results, "shot_tracks")
    assert set(people[tracks == 1]) == {NOBODY}
    assert set(people[tracks == 2]) == {1}
    assert set(people[tracks == 3]) == {2}


def test_a_face_that_is_found_on_and_off_is_shown_from_its_first_frame() -> None:
    made = batches(THIRTIETHS, (range(0, 64, 2), SURE))
    assert set(column(finalised(made), "people")) == {1}


@pytest.mark.parametrize("interval_s", [0.25, 0.5, 1.0, 1.001, 2.0, 10.0])
def test_a_face_in_one_frame_lasts_where_frames_are_shown_for_long(interval_s: float) -> None:
    made = batches(np.arange(20) * interval_s, (range(3, 4), SURE), (range(19, 20), SURE))
    assert column(finalised(made), "people").tolist() == [1, 2]


def test_a_frame_that_is_shown_for_long_counts_as_that_in_a_film_of_variable_rate() -> None:
    time_s = np.concatenate([np.arange(30) / 30, [1.5], 3 + np.arange(30) / 30])
    made = batches(time_s, (range(20, 22), UNSURE), (range(30, 31), SURE))
    people, tracks = column(finalised(made), "people"), column(made, "shot_tracks")
    assert set(people[tracks == 1]) == {NOBODY}
    assert set(people[tracks == 2]) == {1}


def test_a_face_of_exactly_the_least_time_lasts() -> None:
    """Five frames of 50 ms, whose binary fractions add up to a little less than 0.25."""
    for first in range(5, 40):
        made = batches(np.arange(60) / 20, (range(first, first + 5), SURE))
        assert set(column(finalised(made), "people")) == {1}


@pytest.mark.parametrize("frames", [1, 5])
def test_a_very_short_video_keeps_its_faces(frames: int) -> None:
    made = batches(THIRTIETHS[:frames], (range(frames), SURE))
    assert set(column(finalised(made), "people")) == {1}


def test_live_shows_a_face_once_it_has_lasted() -> None:
    made = batches(THIRTIETHS, (range(64), SURE), size=2)
    finaliser = Finaliser(TrackSettings(min_s=0.25), SmoothSettings(), live=True)
    shown = []
    for batch in made:
        (now,) = finaliser.process(batch)  # Nothing is held back.
        assert now.first_frame == batch.first_frame
        shown += (now.people != NOBODY).tolist()
    assert not any(shown[:7])
    assert all(shown[10:])


@pytest.mark.parametrize("interval_s", [0.25, 1.0, 5.0])
def test_live_shows_a_face_at_once_where_frames_are_far_apart(interval_s: float) -> None:
    made = batches(np.arange(20) * interval_s, (range(5, 20), SURE), size=1)
    assert set(column(finalised(made, live=True), "people")) == {1}


def test_a_gap_of_a_live_stream_does_not_count() -> None:
    """Two frames before a gap of twenty seconds, and two after it, do not last."""
    time_s = np.concatenate([THIRTIETHS[:32], 20 + THIRTIETHS[:32]])
    made = batches(time_s, (range(30, 34), SURE), size=2, gap_at=32)
    assert set(column(finalised(made, live=True), "people")) == {NOBODY}


def flip(time_s: np.ndarray, at_s: float) -> list[FrameBatch]:
    """One person whose expression changes at once."""
    made = batches(time_s, (range(len(time_s)), SURE))
    for batch in made:
        batch.probabilities[batch.time_s >= at_s] = UNSURE
    return made


def test_flicker_is_smoothed_and_the_time_of_a_change_stays() -> None:
    made = flip(THIRTIETHS, at_s=1.0)
    made[0].probabilities[5] = UNSURE
    results = finalised(made)
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
    likeliest = column(finalised(flip(time_s, at_s=1.0)), "probabilities").argmax(axis=1)
    changed_s = time_s[np.flatnonzero(likeliest == 5)[0]]
    assert changed_s == pytest.approx(1.0, abs=0.051)


@pytest.mark.parametrize("seed", range(3))
def test_each_frame_counts_until_the_next_one(seed: int) -> None:
    """Ten to a hundred milliseconds apart; the last frame counts as the median of nine before."""
    rng = np.random.default_rng(seed)
    time_s = np.cumsum(rng.uniform(0.01, 0.1, 80))
    made = batches(time_s, (range(80), SURE))
    for batch in made:
        batch.probabilities[:] = rng.dirichlet(np.ones(7), len(batch))
    raw = column(made, "probabilities")
    shown_s = np.append(np.diff(time_s), np.median(np.diff(time_s)[-9:]))
    weights = shown_s * np.maximum(1 - np.abs(time_s[:, None] - time_s) / 0.2, 0)
    expected = weights @ raw / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(column(finalised(made), "probabilities"), expected, atol=1e-4)


def test_the_first_frame_counts_as_much_as_the_others() -> None:
    made = batches(THIRTIETHS, (range(64), SURE))
    made[0].probabilities[0] = UNSURE
    first = column(finalised(made), "probabilities")[0]
    # Triangular weights 1, 5/6, 4/6 to 1/6, of equally long frames.
    assert first[5] == pytest.approx(1 / (1 + 2.5), abs=0.001)


def test_live_averages_only_the_past() -> None:
    results = finalised(flip(THIRTIETHS, at_s=1.0), live=True, min_s=0)
    probabilities = column(results, "probabilities")
    assert set(probabilities[:30].argmax(axis=1)) == {3}
    assert (np.diff(probabilities[30:38, 5]) > 0).all()
    assert set(probabilities[36:].argmax(axis=1)) == {5}


def test_smoothing_can_be_switched_off() -> None:
    made = flip(THIRTIETHS, at_s=1.0)
    results = finalised(made, window_s=0, min_s=0)
    np.testing.assert_array_equal(column(results, "probabilities"), column(made, "probabilities"))


def test_people_do_not_mix() -> None:
    made = batches(THIRTIETHS, (range(64), SURE), (range(64), UNSURE))
    results = finalised(made)
    people, probabilities = column(results, "people"), column(results, "probabilities")
    np.testing.assert_allclose(probabilities[people == 1], np.tile(SURE, (64, 1)), atol=1e-6)
    np.testing.assert_allclose(probabilities[people == 2], np.tile(UNSURE, (64, 1)), atol=1e-6)


def test_memory_does_not_grow_with_the_video() -> None:
    finaliser = Finaliser(TrackSettings(), SmoothSettings())
    made = batches(np.arange(6400) / 30, (range(6400), SURE))
    held_bytes = np.zeros(len(made))
    tracemalloc.start()
    try:
        for number, batch in enumerate(made):
            finaliser.process(batch)
            held_bytes[number] = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held_bytes[50:].max() < 1.2 * held_bytes[:50].max()


def connections(count: int) -> Iterator[FrameBatch]:
    """A live stream that shows the same face for half a second, again and again, a minute apart."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(16, 236, (8, SIDE_PX * 3 // 2, SIDE_PX), np.uint8)
    time_s = np.arange(8) / 15
    (batch,) = batches(time_s, (range(8), SURE))
    for number in range(count):
        yield replace(
            batch,
            time_s=60 * number + time_s,
            pixels=pixels,
            after_gap=number > 0,
            boxes=np.tile(np.float32([0, 0, SIDE_PX, SIDE_PX]), (8, 1)),
            landmarks=np.tile(TEMPLATE_PX, (8, 1, 1)),
            scores=np.ones(8),
            shot_tracks=np.full(8, 1 + number),
        )


def test_memory_does_not_grow_with_the_connections_of_a_live_stream() -> None:
    finaliser = Finaliser(TrackSettings(), SmoothSettings(), True, FaceReidentifier())
    held_bytes = []
    tracemalloc.start()
    try:
        for batch in connections(60):
            (now,) = finaliser.process(batch)
            assert set(now.people.tolist()) <= {NOBODY, 1}
            assert now.people[-1] == 1
            held_bytes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held_bytes[-1] - held_bytes[20] < 80_000  # One picture of a face has 67,500.
