"""Which person id a track gets, given whom it looks like."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from configs.schema import TrackSettings
from stages.batch import NOBODY, FrameBatch
from stages.people.person_ids import MAX_PEOPLE, MAX_TRACKS, PATIENCE_S, Match, PersonIds


class Likeness:
    """Stands in for a reidentifier: tracks look alike if they have the same tens.

    Attributes:
        unclear: tracks that cannot be told yet.
        forgotten: tracks that were dropped.
    """

    def __init__(self) -> None:
        self.unclear: set[int] = set()
        self.forgotten: list[int] = []

    def observe(self, batch: FrameBatch) -> None:
        pass

    def match(self, track: int, people: Mapping[int, Sequence[int]]) -> Match:
        if track in self.unclear:
            return Match(None, final=False)
        alike = [
            person
            for person, tracks in people.items()
            if any(each // 10 == track // 10 for each in tracks)
        ]
        return Match(alike[0] if alike else None, final=True)

    def forget(self, track: int) -> None:
        self.forgotten.append(track)


def seen(at_s: float, *tracks: int, cut: bool = False) -> FrameBatch:
    return FrameBatch(
        first_frame=0,
        pts=np.array([0]),
        time_s=np.array([at_s]),
        cuts=np.array([cut]),
        face_frame=np.zeros(len(tracks), np.int64),
        shot_tracks=np.array(tracks, np.int64),
    )


@pytest.fixture
def likeness() -> Likeness:
    return Likeness()


@pytest.fixture
def ids(likeness: Likeness) -> PersonIds:
    return PersonIds(TrackSettings(max_gap_s=1, remember_s=60), likeness)


def assigned(ids: PersonIds, batch: FrameBatch) -> list[int]:
    ids.observe(batch)
    return [ids.assign(track) for track in batch.shot_tracks.tolist()]


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


@pytest.mark.parametrize("gap_s", [0.2, 5])
def test_the_old_id_after_a_gap_of_a_live_stream(ids: PersonIds, gap_s: float) -> None:
    assert assigned(ids, seen(0, 10, 20)) == [1, 2]
    assert assigned(ids, replace(seen(gap_s, 21, 30), after_gap=True)) == [2, 3]
    ids.observe(seen(gap_s + 0.1, 21, 30, 11))
    assert ids.assign(11) == 1


def test_a_live_stream_waits_until_it_is_clear_who_a_face_is(
    ids: PersonIds, likeness: Likeness
) -> None:
    ids.observe(seen(0, 10))
    assert ids.assign(10, may_wait=True) == 1
    likeness.unclear.add(11)
    ids.observe(replace(seen(5, 11), after_gap=True))
    assert ids.assign(11, may_wait=True) == NOBODY
    likeness.unclear.clear()
    assert ids.assign(11, may_wait=True) == 1


@pytest.mark.parametrize(("interval_s", "waited_s"), [(0.1, PATIENCE_S), (2.0, 6.0)])
def test_it_does_not_wait_for_long(
    ids: PersonIds, likeness: Likeness, interval_s: float, waited_s: float
) -> None:
    """At least four frames, which may be far apart."""
    ids.observe(seen(0, 10))
    ids.assign(10, may_wait=True)
    likeness.unclear.add(11)
    for frame in range(30):
        ids.observe(replace(seen(5 + frame * interval_s, 11), after_gap=frame == 0))
        if ids.assign(11, may_wait=True) != NOBODY:
            break
    assert frame * interval_s == pytest.approx(waited_s)


def test_of_someone_who_comes_and_goes_the_latest_tracks_are_kept(
    ids: PersonIds, likeness: Likeness
) -> None:
    for number in range(MAX_TRACKS + 1):
        assert assigned(ids, replace(seen(number, 100 + number), after_gap=True)) == [1]
    assert likeness.forgotten == [100]


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
