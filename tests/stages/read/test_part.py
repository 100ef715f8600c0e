"""A part of a film, or every so many of its frames: numbered and timed as in the whole film."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.batch import FrameBatch
from tests.stages.clips import RATE, cut, damage_of, make_clip, read_all, times_of

FRAMES = 60


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2.4 s, with B-frames."""
    return make_clip(tmp_path_factory.mktemp("part") / "film.mp4", frames=FRAMES)


def numbers_of(batches: list[FrameBatch]) -> list[int]:
    return [
        batch.first_frame + batch.frame_step * index
        for batch in batches
        for index in range(len(batch))
    ]


def pixels_of(batches: list[FrameBatch]) -> np.ndarray:
    return np.concatenate([batch.pixels for batch in batches])


PARTS = [
    ({}, range(FRAMES)),
    ({"from_s": 0.4}, range(10, FRAMES)),
    ({"from_s": 0.41}, range(11, FRAMES)),
    ({"to_s": 1.2}, range(30)),
    ({"to_s": 99}, range(FRAMES)),
    ({"from_s": 1.0, "to_s": 1.04}, range(25, 26)),
    ({"every": 7}, range(0, FRAMES, 7)),
    ({"every": 200}, range(1)),
    ({"from_s": 0.4, "to_s": 1.2, "every": 3}, range(12, 30, 3)),
]


@pytest.mark.parametrize(("settings", "expected"), PARTS)
def test_frames_are_those_of_the_whole_film(
    film: Path, settings: dict[str, float], expected: range
) -> None:
    batches = read_all(film, batch_frames=8, **settings)
    assert numbers_of(batches) == list(expected)
    np.testing.assert_allclose(times_of(batches), np.array(expected) / RATE, atol=1e-9)
    whole = pixels_of(read_all(film))
    assert (pixels_of(batches) == whole[list(expected)]).all()
    assert damage_of(batches) == ""
    from_s, to_s = settings.get("from_s", 0), settings.get("to_s", 99)
    within = sum(from_s <= number / RATE < to_s for number in range(FRAMES))
    assert sum(batch.left_out for batch in batches) == within - len(expected)
    assert sum(batch.before_part for batch in batches) == np.ceil(from_s * RATE)


def test_a_part_of_numbered_pictures(tmp_path: Path) -> None:
    for number in range(20):
        cv2.imwrite(str(tmp_path / f"{number:03}.png"), np.full((32, 32, 3), 10 * number, np.uint8))
    batches = read_all(tmp_path, rate=10, from_s=0.5, to_s=1.5, every=2)
    assert numbers_of(batches) == [6, 8, 10, 12, 14]
    assert times_of(batches) == pytest.approx([0.6, 0.8, 1.0, 1.2, 1.4])


def test_of_a_film_that_is_cut_off_a_part_before_that_is_whole(film: Path) -> None:
    moov_first = make_clip(
        film.with_name("first.mp4"), frames=FRAMES, container_options={"movflags": "+faststart"}
    )
    short = cut(moov_first, 0.7)
    assert "cut off" in damage_of(read_all(short))
    assert damage_of(read_all(short, to_s=0.8)) == ""
    assert "cut off" in damage_of(read_all(short, from_s=0.8))


def test_a_part_without_a_frame_is_told(film: Path) -> None:
    told = damage_of(read_all(film, from_s=3, to_s=4))
    assert told == (
        "there is no frame to analyse from 3 s to 4 s; the last one that was read is at 2.36 s"
    )


def test_signs_of_life_come_on_the_way_to_the_part(film: Path) -> None:
    """Otherwise a part late in a long film would count as a reader that hangs."""
    batches = read_all(film, batch_frames=8, from_s=2)
    assert [len(batch) for batch in batches[:6]] == [0] * 6
