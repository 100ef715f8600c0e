"""Segments and people, from timelines with known ones."""

import numpy as np
import pytest

from configs.schema import SegmentSettings
from models.emotions import EMOTIONS
from pipeline.results.people import people_of
from pipeline.results.segments import segments_of
from pipeline.results.timeline import NOBODY, Timeline

HAPPY, SAD, FEAR = (EMOTIONS.index(name) for name in ("happy", "sad", "fear"))


def timeline(*people: dict[float, tuple[int, float]], times_s: np.ndarray) -> Timeline:
    """Each person's expression and its probability by time; times without are without a face."""
    rows = []
    for frame, at_s in enumerate(times_s):
        faces = [
            (number, person[at_s]) for number, person in enumerate(people, 1) if at_s in person
        ]
        for number, (emotion, probability) in faces or [(NOBODY, (0, np.nan))]:
            rest = np.full(len(EMOTIONS), (1 - probability) / (len(EMOTIONS) - 1))
            rest[emotion] = probability
            rows.append((frame, at_s, number, rest))
    frame, time_s, track, probabilities = (np.array(column) for column in zip(*rows, strict=True))
    nowhere = np.full((len(rows), 4), np.nan, np.float32)
    return Timeline(frame, time_s, track, nowhere, nowhere[:, 0], probabilities)


def steps(*parts: tuple[float, int, float]) -> dict[float, tuple[int, float]]:
    """An expression and its probability until each time, 10 frames a second."""
    person, at = {}, 0
    for until_s, emotion, probability in parts:
        while at < round(until_s * 10):
            person[at / 10] = emotion, probability
            at += 1
    return person


TENTHS = np.arange(60) / 10


def test_borders_peaks_and_means_are_those_of_the_timeline() -> None:
    person = steps((2, HAPPY, 0.8), (2.1, HAPPY, 0.9), (4, HAPPY, 0.8), (6, SAD, 0.6))
    happy, sad = segments_of(timeline(person, times_s=TENTHS))
    assert (happy.emotion, happy.start_s, happy.end_s) == ("happy", 0, pytest.approx(4))
    assert (sad.emotion, sad.start_s, sad.end_s) == ("sad", pytest.approx(4), pytest.approx(6))
    assert happy.confidence == pytest.approx(0.8025)
    assert (happy.peak_s, happy.peak_confidence) == (pytest.approx(2), pytest.approx(0.9))


def test_flicker_belongs_to_what_is_around_it() -> None:
    person = steps(
        (2, HAPPY, 0.8), (2.2, SAD, 0.9), (4, HAPPY, 0.8), (4.2, FEAR, 0.9), (6, SAD, 0.9)
    )
    segments = segments_of(timeline(person, times_s=TENTHS))
    assert [segment.emotion for segment in segments] == ["happy", "sad"]
    all_of_it = segments_of(timeline(person, times_s=TENTHS), SegmentSettings(min_s=0))
    assert [segment.emotion for segment in all_of_it] == ["happy", "sad", "happy", "fear", "sad"]


def test_another_expression_has_to_lead_clearly() -> None:
    times_s = np.arange(40) / 10
    probabilities = np.full((40, 7), 0.02)
    probabilities[:, HAPPY], probabilities[:, SAD] = 0.47, 0.43
    probabilities[20:, HAPPY], probabilities[20:, SAD] = 0.43, 0.47
    rows = timeline(steps((4, HAPPY, 0.5)), times_s=times_s)
    close_call = Timeline(rows.frame, times_s, rows.track, rows.boxes, rows.score, probabilities)
    assert [segment.emotion for segment in segments_of(close_call)] == ["happy"]
    eager = segments_of(close_call, SegmentSettings(hysteresis=0))
    assert [segment.emotion for segment in eager] == ["happy", "sad"]


def test_nothing_is_shown_while_a_person_is_away() -> None:
    there = {at_s: value for at_s, value in steps((6, HAPPY, 0.8)).items() if not 2 <= at_s < 4}
    first, second = segments_of(timeline(there, times_s=TENTHS))
    assert (first.end_s, second.start_s) == (pytest.approx(2), pytest.approx(4))
    (person,) = people_of(timeline(there, times_s=TENTHS), [first, second])
    assert person.face_s == pytest.approx(4)
    assert person.transitions == {}


def test_shares_count_time_and_not_frames() -> None:
    """Ten frames a second, then one: as in screen recordings."""
    times_s = np.concatenate([np.arange(30) / 10, [3.0, 4.0, 5.0]])
    person = {at_s: (HAPPY if at_s < 3 else SAD, 0.9) for at_s in times_s}
    rows = timeline(person, times_s=times_s)
    (figures,) = people_of(rows, segments_of(rows))
    assert figures.shares["happy"] == pytest.approx(3 / 5.1, abs=0.01)
    assert figures.transitions == {"happy > sad": 1}


def test_people_are_kept_apart() -> None:
    one, other = steps((6, HAPPY, 0.8)), steps((3, SAD, 0.7), (6, FEAR, 0.7))
    rows = timeline(one, other, times_s=TENTHS)
    segments = segments_of(rows)
    assert [(segment.track, segment.emotion) for segment in segments] == [
        (1, "happy"), (2, "sad"), (2, "fear"),
    ]  # fmt: skip
    assert [person.track for person in people_of(rows, segments)] == [1, 2]


def test_a_video_without_faces_has_no_segments() -> None:
    assert segments_of(timeline(times_s=TENTHS)) == []
