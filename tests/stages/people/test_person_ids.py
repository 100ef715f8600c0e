"""Which number a track gets, given whom it looks like."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from configs.schema import TrackSettings
from stages.batch import FrameBatch
from stages.people.person_ids import MOST_PEOPLE, PeopleNumbers


class Likeness:
    """Stands for a recogniser: tracks look alike if they have the same tens."""

    def __init__(self) -> None:
        self.forgotten: list[int] = []

    def look(self, batch: FrameBatch) -> None:
        pass

    def recognise(self, track: int, people: Mapping[int, Sequence[int]]) -> int | None:
        alike = [
            number
            for number, tracks in people.items()
            if any(each // 10 == track // 10 for each in tracks)
        ]
        return alike[0] if alike else None

    def forget(self, track: int) -> None:
        self.forgotten.append(track)


def seen(at_s: float, *tracks: int, cut: bool = False) -> FrameBatch:
    return FrameBatch(
        first_frame=0,
        pts=np.array([0]),
        time_s=np.array([at_s]),
        cuts=np.array([cut]),
        face_frame=np.zeros(len(tracks), np.int64),
        tracks=np.array(tracks, np.int64),
    )


@pytest.fixture
def likeness() -> Likeness:
    return Likeness()


@pytest.fixture
def numbers(likeness: Likeness) -> PeopleNumbers:
    return PeopleNumbers(TrackSettings(max_gap_s=1, remember_s=60), likeness)


def given(numbers: PeopleNumbers, batch: FrameBatch) -> list[int]:
    numbers.learn(batch)
    return [numbers.number_of(track) for track in batch.tracks.tolist()]


def test_without_a_recogniser_each_track_is_a_person() -> None:
    numbers = PeopleNumbers(TrackSettings(), None)
    assert given(numbers, seen(0, 10, 20)) == [1, 2]
    assert given(numbers, seen(5, 11, cut=True)) == [3]


def test_old_number_after_a_cut_and_after_an_absence(numbers: PeopleNumbers) -> None:
    assert given(numbers, seen(0, 10, 20)) == [1, 2]
    assert given(numbers, seen(0.1, 21, 30, cut=True)) == [2, 3]
    assert given(numbers, seen(5, 11)) == [1]
    assert given(numbers, seen(9, 12, 40)) == [1, 4]


def test_number_of_one_who_may_still_be_followed_is_not_given_away(numbers: PeopleNumbers) -> None:
    assert given(numbers, seen(0, 10)) == [1]
    assert given(numbers, seen(0.5, 11)) == [2]


def test_two_who_look_alike_are_not_one(numbers: PeopleNumbers) -> None:
    assert given(numbers, seen(0, 10)) == [1]
    assert given(numbers, seen(5, 11, 12)) == [1, 2]


def test_who_was_away_for_too_long_is_new(numbers: PeopleNumbers) -> None:
    assert given(numbers, seen(0, 10)) == [1]
    assert given(numbers, seen(61, 11)) == [2]


def test_of_a_crowd_the_first_are_forgotten(numbers: PeopleNumbers, likeness: Likeness) -> None:
    for person in range(MOST_PEOPLE + 1):
        given(numbers, seen(person / 100, 10 * person))
    assert likeness.forgotten == [0]
