"""Tracking: a face keeps its track id, and no other face ever gets it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from configs.schema import TrackSettings
from stages.batch import FrameBatch
from stages.geometry import iou
from stages.people.track import TrackStage, least_cost_pairs
from tests.stages.batches import Box, batch_of

STILL: Box = (100, 100, 50, 60)


def tracks_of(frames: list[list[Box]], *, batch: int = 16, max_gap_s: float = 1.0) -> list[int]:
    """Track ids of all faces, when the frames come in batches of this size."""
    stage = TrackStage(TrackSettings(max_gap_s=max_gap_s))
    parts = [
        stage.process(batch_of(frames[first : first + batch], first_frame=first)).shot_tracks
        for first in range(0, len(frames), batch)
    ]
    return np.concatenate(parts).tolist()


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_a_track_runs_across_batches(batch: int) -> None:
    walking = [[(10.0 + 6 * i, 50.0, 50.0, 60.0)] for i in range(40)]
    assert tracks_of(walking, batch=batch) == [1] * 40


@pytest.mark.parametrize("speed", [4, 10, 20])
@pytest.mark.parametrize("hidden", [0, 4])
def test_faces_that_cross_keep_their_tracks(speed: int, hidden: int) -> None:
    """One moves right, one left; the one behind is hidden while they meet."""
    steps = 400 // speed
    frames: list[list[Box]] = []
    for i in range(steps):
        right, left = (100.0 + speed * i, 100.0, 60.0, 70.0), (500.0 - speed * i, 110.0, 60.0, 70.0)
        meeting = abs(i - steps // 2) <= hidden // 2 if hidden else False
        # A detector lists faces in any order.
        frames.append([right] if meeting else [right, left] if i % 2 else [left, right])
    numbers = iter(tracks_of(frames))
    people = [{box[1]: next(numbers) for box in boxes} for boxes in frames]
    rightward, leftward = people[0][100.0], people[0][110.0]
    assert rightward != leftward
    assert all(seen[100.0] == rightward for seen in people)
    assert all(seen.get(110.0, leftward) == leftward for seen in people)


@pytest.mark.parametrize(("gap_frames", "same"), [(12, True), (24, True), (26, False)])
def test_a_gap_is_bridged_up_to_its_limit(gap_frames: int, same: bool) -> None:
    frames = [[STILL]] * 5 + [[]] * (gap_frames - 1) + [[STILL]] * 5
    assert tracks_of(frames, max_gap_s=1.0) == [1] * 5 + [1 if same else 2] * 5


def test_without_a_gap_allowed_each_absence_ends_a_track() -> None:
    assert tracks_of([[STILL], [STILL], [], [STILL]], max_gap_s=0.05) == [1, 1, 2]


def test_track_ids_are_never_used_twice() -> None:
    """Twenty people, one after the other on the same chair, three seconds each apart."""
    frames = [boxes for _ in range(20) for boxes in [[STILL]] * 3 + [[]] * 75]
    assert tracks_of(frames) == [number for number in range(1, 21) for _ in range(3)]


def test_someone_far_away_or_much_larger_is_someone_else() -> None:
    assert tracks_of([[STILL], [(400, 100, 50, 60)]]) == [1, 2]
    assert tracks_of([[STILL], [(50, 40, 150, 180)]]) == [1, 2]


def test_two_faces_of_a_frame_never_share_a_track() -> None:
    near = [(100.0 + 8 * i, 100.0, 50.0, 60.0) for i in range(6)]
    numbers = tracks_of([[near[0]], near, near[::-1]])
    assert len(set(numbers[1:7])) == 6
    assert numbers[7:] == numbers[1:7][::-1]


def test_frames_without_faces_and_empty_batches_are_fine() -> None:
    stage = TrackStage(TrackSettings())
    assert len(stage.process(batch_of([[], []])).shot_tracks) == 0
    assert len(stage.process(batch_of([])).shot_tracks) == 0


def test_iou_of_boxes() -> None:
    a = np.array([0, 0, 10, 10])
    others = np.array([(0, 0, 10, 10), (5, 0, 10, 10), (20, 0, 10, 10), (2, 2, 5, 4)])
    assert iou(a, others) == pytest.approx([1, 1 / 3, 0, 0.2])


def test_a_cut_ends_all_tracks() -> None:
    stage = TrackStage(TrackSettings())
    batch = FrameBatch(
        first_frame=0,
        pts=np.arange(4),
        time_s=np.arange(4) / 25,
        cuts=np.array([False, False, True, False]),
        face_frame=np.arange(4),
        boxes=np.tile(np.array([10, 10, 50, 50], np.float32), (4, 1)),
    )
    assert stage.process(batch).shot_tracks.tolist() == [1, 1, 2, 2]


def looking_like(people: str, *, cuts: str = "", interval_s: float = 0.04) -> list[int]:
    """Track ids of one face in one place that looks like these people, ``-`` for nobody, in turn.

    A cut comes before each frame that has a ``|`` in ``cuts``. Nobody is seen clearly enough for
    descriptors.
    """
    rng = np.random.default_rng(4)
    faces = {who: rng.integers(0, 180, (48, 48)) for who in "AB"}
    shown = [who for who in people if who != "-"]
    crops = [faces[who] + rng.integers(0, 30, (48, 48)) for who in shown]
    batch = replace(
        batch_of([[] if who == "-" else [STILL] for who in people], rate=1 / interval_s),
        cuts=np.array([mark == "|" for mark in cuts.ljust(len(people))]),
        crops=np.array(crops, np.uint8),
        landmarks=np.zeros((len(shown), 5, 2), np.float32),
        scores=np.zeros(len(shown), np.float32),
    )
    return TrackStage(TrackSettings()).process(batch).shot_tracks.tolist()


def test_a_sudden_change_of_looks_is_another_face() -> None:
    assert looking_like("AAAAABBBBB") == [1] * 5 + [2] * 5


def test_the_first_face_has_its_track_back() -> None:
    assert looking_like("AAAAABBAAA") == [1] * 5 + [2] * 2 + [1] * 3


def test_a_face_that_looks_the_same_beyond_a_cut_goes_on() -> None:
    assert looking_like("AAAAAA", cuts="   |  ") == [1] * 6
    assert looking_like("AAABBB", cuts="   |  ") == [1] * 3 + [2] * 3


def test_a_flash_in_which_no_face_is_found_does_not_end_a_track() -> None:
    assert looking_like("AAAA--AAAA", cuts="    | |   ") == [1] * 8


@pytest.mark.parametrize("interval_s", [1.001, 2.0, 60.0])
def test_frames_that_are_far_apart_are_consecutive(interval_s: float) -> None:
    assert looking_like("AAAAAA", interval_s=interval_s) == [1] * 6
    assert looking_like("AAA-AAA", interval_s=interval_s) == [1] * 6
    assert looking_like("AAA--AAA", interval_s=interval_s) == [1] * 3 + [2] * 3


def test_without_looks_frames_that_are_far_apart_are_consecutive() -> None:
    stage = TrackStage(TrackSettings(max_gap_s=1))
    slides = batch_of([[STILL], [STILL], [], [STILL]], rate=0.1)
    assert stage.process(slides).shot_tracks.tolist() == [1, 1, 2]


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 5), (5, 2), (6, 7), (0, 2)])
def test_pairs_have_the_least_sum(shape: tuple[int, int]) -> None:
    """Those of the Hungarian algorithm, whichever way they are found."""
    random = np.random.default_rng(1)
    for _ in range(50):
        costs = random.random(shape)
        rows, columns = least_cost_pairs(costs)
        assert costs[rows, columns].sum() == pytest.approx(
            costs[linear_sum_assignment(costs)].sum()
        )
        assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows) == min(shape)
        assert (np.diff(rows) > 0).all()
