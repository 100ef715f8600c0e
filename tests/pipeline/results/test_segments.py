"""Segments and people, from timelines with known ones."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from configs.schema import SegmentSettings
from models.emotions import EMOTIONS
from pipeline.results.person import people_of
from pipeline.results.segments import UNCLEAR, joined_runs, segments_of
from pipeline.results.timeline import Timeline
from stages.batch import NOBODY

ANGRY, HAPPY, NEUTRAL, SAD, FEAR = (
    EMOTIONS.index(name) for name in ("angry", "happy", "neutral", "sad", "fear")
)


def timeline(*people: dict[float, tuple[int, float]], times_s: np.ndarray) -> Timeline:
    """Each person's expression and its probability by time; times without are without a face."""
    rows = []
    for number_of_frame, at_s in enumerate(times_s):
        faces = [
            (number, person[at_s]) for number, person in enumerate(people, 1) if at_s in person
        ]
        for number, (emotion, probability) in faces or [(NOBODY, (0, np.nan))]:
            rest = np.full(len(EMOTIONS), (1 - probability) / (len(EMOTIONS) - 1))
            rest[emotion] = probability
            rows.append((number_of_frame, at_s, number, rest))
    frame, time_s, track, probabilities = (np.array(column) for column in zip(*rows, strict=True))
    nowhere = np.full((len(rows), 4), np.nan, np.float32)
    return Timeline(
        frame, time_s, track, nowhere, nowhere[:, 0], probabilities, usable=track != NOBODY
    )


def steps(*parts: tuple[float, int, float]) -> dict[float, tuple[int, float]]:
    """An expression and its probability until each time, 10 frames a second."""
    person, at = {}, 0
    for until_s, emotion, probability in parts:
        while at < round(until_s * 10):
            person[at / 10] = emotion, probability
            at += 1
    return person


TENTHS = np.arange(60) / 10


def one_person(times_s: np.ndarray, probabilities: np.ndarray, **columns: object) -> Timeline:
    """A timeline of one person, in every frame, with these probabilities (k, 7)."""
    nowhere = np.full((len(times_s), 4), np.nan, np.float32)
    frames = np.arange(len(times_s))
    ones = np.ones(len(times_s), np.int64)
    return Timeline(
        frames, times_s, ones, nowhere, nowhere[:, 0], probabilities, ones == 1, **columns
    )


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
    probabilities = np.full((40, 7), 0.02)
    probabilities[:, HAPPY], probabilities[:, SAD] = 0.47, 0.43
    probabilities[20:, HAPPY], probabilities[20:, SAD] = 0.43, 0.47
    close_call = one_person(np.arange(40) / 10, probabilities)
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


def test_flat_probabilities_do_not_keep_the_first_label() -> None:
    """One expression leads in the first row alone, then another by less than the hysteresis."""
    probabilities = np.full((300, 7), 0.02)
    probabilities[:, ANGRY], probabilities[:, NEUTRAL] = 0.41, 0.49
    probabilities[0, ANGRY], probabilities[0, NEUTRAL] = 0.49, 0.41
    (segment,) = segments_of(one_person(np.arange(300) / 30, probabilities))
    assert segment.emotion == "neutral"
    assert segment.confidence == pytest.approx(0.49, abs=0.001)
    assert segment.peak_confidence == pytest.approx(0.49)


def test_neighbours_of_one_name_are_one_segment() -> None:
    """Happy for a moment, then less and less, though never led clearly: in all it is sad."""
    probabilities = np.full((60, 7), 0.02)
    probabilities[:, SAD], probabilities[:, HAPPY] = 0.48, 0.42
    probabilities[:2, SAD], probabilities[:2, HAPPY] = 0.42, 0.48
    probabilities[30:, SAD], probabilities[30:, HAPPY] = 0.7, 0.2
    (segment,) = segments_of(one_person(TENTHS, probabilities))
    assert (segment.emotion, segment.start_s, segment.end_s) == ("sad", 0, pytest.approx(6))


def test_an_expression_that_is_nowhere_likely_is_unclear() -> None:
    person = steps((2, HAPPY, 0.8), (3, SAD, 0.3), (4, ANGRY, 0.3), (6, SAD, 0.6))
    rows = timeline(person, times_s=TENTHS)
    segments = segments_of(rows)
    assert [segment.emotion for segment in segments] == ["happy", UNCLEAR, "sad"]
    assert (segments[1].start_s, segments[1].end_s) == (2, 4)
    assert segments[1].confidence < 0.35
    (figures,) = people_of(rows, segments)
    assert figures.transitions == {"happy > unclear": 1, "unclear > sad": 1}
    named = segments_of(rows, SegmentSettings(min_confidence=0.1))
    assert [segment.emotion for segment in named] == ["happy", "sad", "angry", "sad"]


def test_flat_probabilities_end_an_expression() -> None:
    """Clearly happy for two seconds; then nothing is, and nothing leads by the hysteresis."""
    probabilities = np.full((60, 7), 0.05)
    probabilities[:20, HAPPY] = 0.7
    probabilities[20:] = 0.8 / 6
    probabilities[20:, SAD] = 0.2
    happy, rest = segments_of(one_person(TENTHS, probabilities))
    assert (happy.emotion, happy.end_s, happy.confidence) == ("happy", 2, pytest.approx(0.7))
    assert (rest.emotion, rest.confidence) == (UNCLEAR, pytest.approx(0.2))


def random_walks(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Times of frames of variable rate, and probabilities that drift: (k,), (k, 7)."""
    rng = np.random.default_rng(seed)
    logits = np.cumsum(rng.normal(0, 0.3, (count, 7)), axis=0) + rng.normal(0, 0.3, (count, 7))
    likelihoods = np.exp(logits - logits.max(axis=1, keepdims=True))
    times_s = np.round(np.cumsum(rng.uniform(0.01, 0.2, count)), 6)
    return times_s - times_s[0], likelihoods / likelihoods.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(8))
def test_every_segment_agrees_with_its_rows(seed: int) -> None:
    times_s, probabilities = random_walks(seed, 500)
    rows = one_person(times_s, probabilities)
    segments = segments_of(rows)
    assert segments[0].start_s == 0
    assert segments[-1].end_s == rows.until_s[-1]
    for segment in segments:
        within = (times_s >= segment.start_s) & (times_s < segment.end_s)
        shown_s = (rows.until_s - times_s)[within]
        means = shown_s @ probabilities[within] / shown_s.sum()
        assert segment.confidence == pytest.approx(means.max())
        assert segment.emotion == (EMOTIONS[means.argmax()] if means.max() >= 0.35 else UNCLEAR)
        assert segment.peak_confidence == probabilities[within, means.argmax()].max()
        assert segment.duration_s >= 0.3
    for before, after in pairwise(segments):
        assert before.end_s == after.start_s
        assert before.emotion != after.emotion


@pytest.mark.parametrize("kind", ["even", "uneven"])
@pytest.mark.parametrize("seed", range(20))
def test_short_runs_join_as_they_do_one_by_one(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 200))
    labels = rng.integers(0, rng.integers(1, 7) + 1, count)
    lengths_s = np.full(count, 1 / 30) if kind == "even" else rng.exponential(0.1, count)
    times_s = np.append(0, np.cumsum(lengths_s))
    for min_s in (0, 0.1, 0.3, 1, 100):
        assert joined_runs(labels, times_s, min_s) == joined_one_by_one(labels, times_s, min_s)


def joined_one_by_one(labels: np.ndarray, times_s: np.ndarray, min_s: float) -> list[int]:
    """The same in the simplest way: look at all runs, join the shortest, look again."""
    runs = [
        (int(labels[first]), first)
        for first in range(len(labels))
        if first == 0 or labels[first] != labels[first - 1]
    ]
    while len(runs) > 1:
        borders = [*(first for _, first in runs), len(labels)]
        lengths_s = [float(times_s[last] - times_s[first]) for first, last in pairwise(borders)]
        shortest = lengths_s.index(min(lengths_s))
        if lengths_s[shortest] >= min_s:
            break
        beside = [run for run in (shortest - 1, shortest + 1) if 0 <= run < len(runs)]
        longer = max(beside, key=lambda run: lengths_s[run])
        runs[shortest] = runs[longer][0], runs[shortest][1]
        runs = [
            run for number, run in enumerate(runs) if number == 0 or run[0] != runs[number - 1][0]
        ]
    return [*(first for _, first in runs), len(labels)]


def test_much_noise_is_joined() -> None:
    """Looked at one by one for each of its 15,000 runs, this would take minutes."""
    labels = np.random.default_rng(3).integers(0, 7, 600 * 30)
    borders = joined_runs(labels, np.arange(len(labels) + 1) / 30, 0.3)
    assert min(np.diff(borders)) >= 9


def test_written_times_are_those_of_the_table() -> None:
    times_s = np.round(np.arange(90) / 30, 6)
    probabilities = np.full((90, 7), 0.05)
    probabilities[:31, HAPPY], probabilities[31:, SAD] = 0.7, 0.7
    happy, sad = (each.cells for each in segments_of(one_person(times_s, probabilities)))
    assert happy[2:4] == ["0.000000", "1.033333"]
    assert sad[2:4] == ["1.033333", "3.000000"]
    assert float(sad[2]) == times_s[31]


def test_changes_count_unless_the_person_was_away() -> None:
    person = steps((2, HAPPY, 0.8), (4, HAPPY, 0.8), (5, SAD, 0.8), (6, FEAR, 0.8))
    person = {at_s: value for at_s, value in person.items() if not 2 <= at_s < 4}
    rows = timeline(person, times_s=TENTHS)
    (figures,) = people_of(rows, segments_of(rows))
    assert figures.transitions == {"sad > fear": 1}


def test_the_last_frame_before_a_gap_counts_as_the_usual_one() -> None:
    """A live stream of 10 frames a second is lost at 5 s, and again at once after it is back."""
    times_s = np.concatenate([np.arange(50) / 10, [28.0], 60 + np.arange(10) / 10])
    person = dict.fromkeys(times_s, (HAPPY, 0.8))
    rows = timeline(person, times_s=times_s)
    assert people_of(rows, segments_of(rows))[0].face_s == pytest.approx(61)
    lost = replace(rows, gaps_s=(4.9, 28.0))
    (figures,) = people_of(lost, segments_of(lost))
    assert figures.face_s == pytest.approx(5 + 0.1 + 1)
    assert [(segment.start_s, segment.end_s) for segment in segments_of(lost)] == [
        (0, pytest.approx(5)), (28, pytest.approx(28.1)), (60, pytest.approx(61)),
    ]  # fmt: skip


def test_slides_count_for_as_long_as_they_are_shown() -> None:
    times_s = np.arange(6) * 10.0
    person = {at_s: (HAPPY if at_s < 40 else SAD, 0.9) for at_s in times_s}
    rows = timeline(person, times_s=times_s)
    segments = segments_of(rows)
    assert [(segment.emotion, segment.end_s) for segment in segments] == [
        ("happy", 40),
        ("sad", 60),
    ]
    (figures,) = people_of(rows, segments)
    assert figures.face_s == 60
    assert figures.shares["happy"] == pytest.approx(2 / 3, abs=1e-4)


def test_figures_are_of_usable_time() -> None:
    person = steps((2, HAPPY, 0.9), (5, SAD, 0.5), (6, FEAR, 0.7))
    rows = timeline(person, times_s=TENTHS)
    (figures,) = people_of(replace(rows, usable=rows.time_s < 4), [])
    assert (figures.face_s, figures.usable_share) == (pytest.approx(6), pytest.approx(4 / 6, 1e-3))
    assert {name: share for name, share in figures.shares.items() if share} == {
        "happy": pytest.approx(0.5), "sad": pytest.approx(0.5)
    }  # fmt: skip
    assert figures.confidence == pytest.approx((0.9 + 0.5) / 2)
    (figures,) = people_of(replace(rows, usable=rows.time_s < 0), [])
    assert (figures.usable_share, figures.confidence, figures.shares) == (0, None, {})


def test_a_film_of_one_frame_has_an_expression() -> None:
    rows = timeline({0.0: (HAPPY, 0.9)}, times_s=np.zeros(1))
    (segment,) = segments_of(rows)
    assert (segment.emotion, segment.start_s, segment.end_s) == ("happy", 0, 0)
    (figures,) = people_of(rows, [segment])
    assert (figures.face_s, figures.shares["happy"]) == (0, 1)
