"""Which person id a track gets, given whom it looks like."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from configs.schema import TrackSettings
from stages.batch import FrameBatch
from stages.people.person_ids import MAX_PEOPLE, PersonIds


class Likeness:
    """Stands in for a reidentifier: tracks look alike if they have the same tens."""

    def __init__(self) -> None:
        self.forgotten: list[int] = []

    def observe(self, batch: FrameBatch) -> None:
        pass

    def match(self, track: int, people: Mapping[int, Sequence[int]]) -> int | None:
        alike = [
            person
            for person, tracks in people.items()
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
def ids(likeness: Likeness) -> PersonIds:
    return PersonIds(TrackSettings(max_gap_s=1, remember_s=60), likeness)


def assigned(ids: PersonIds, batch: FrameBatch) -> list[int]:
    ids.observe(batch)
    return [ids.assign(track) for track in batch.tracks.tolist()]


def test_without_a_reidentifier_each_track_is_a_person() -> None:
    ids = PersonIds(TrackSettings(), None)
    assert assigned(ids, seen(0, 10, 20)) == [1, 2]
    assert assigned(ids, seen(5, 11, cut=True)) == [3]


def test_the_old_id_after_a_cut_and_after_an_absence(ids: PersonIds) -> None:
    assert assigned(ids, seen(0, 10, 20)) == [1, 2]
    assert assigned(ids, seen(0.1, 21, 30, cut=True)) == [2, 3]
    assert assigned(ids, seen(5, 11)) == [1]
    assert assigned(ids, seen(9, 12, 40)) == [1, 4]


def test_the_id_of_a_live_track_is_not_reused(ids: PersonIds) -> None:
    assert assigned(ids, seen(0, 10)) == [1]
    assert assigned(ids, seen(0.5, 11)) == [2]


def test_everyone_is_new_after_a_gap_of_a_live_stream(ids: PersonIds, likeness: Likeness) -> None:
    assert assigned(ids, seen(0, 10, 20)) == [1, 2]
    assert assigned(ids, replace(seen(5, 11, 30), after_gap=True)) == [3, 4]
    assert assigned(ids, seen(9, 12)) == [3]
    assert likeness.forgotten == [10, 20]


def test_two_who_look_alike_are_not_one(ids: PersonIds) -> None:
    assert assigned(ids, seen(0, 10)) == [1]
    assert assigned(ids, seen(5, 11, 12)) == [1, 2]


def test_someone_away_for_too_long_is_new(ids: PersonIds) -> None:
    assert assigned(ids, seen(0, 10)) == [1]
    assert assigned(ids, seen(61, 11)) == [2]


def test_of_a_crowd_the_first_are_forgotten(ids: PersonIds, likeness: Likeness) -> None:
    for person in range(MAX_PEOPLE + 1):
        assigned(ids, seen(person / 100, 10 * person))
    assert likeness.forgotten == [0]
