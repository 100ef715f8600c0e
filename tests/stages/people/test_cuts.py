"""Cuts are found where the film has them, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from configs.schema import ReadSettings
from stages.batch import FrameBatch
from stages.people.cuts import CutStage
from stages.read.video_reader import VideoReader


def cuts_of(path: Path, most_frames: int = 400) -> list[int]:
    stage, frames = CutStage(), []
    with VideoReader(path, ReadSettings()) as reader:
        for batch in reader.batches():
            frames += (np.flatnonzero(stage.process(batch).cuts) + batch.first_frame).tolist()
            if batch.first_frame > most_frames:
                break
    return frames


def test_every_cut_of_a_film_is_found(further_clips: Path) -> None:
    assert cuts_of(further_clips / "stage_cuts_360p.mp4") == [20, 82, 211]


@pytest.mark.parametrize("name", ["street_crowd_1080p.mp4", "portrait_720p.mp4"])
def test_motion_is_no_cut(further_clips: Path, name: str) -> None:
    assert cuts_of(further_clips / name) == []


def cuts_in(*pictures: str, batch: int = 32) -> list[int]:
    """Frames, of 25 a second, with which a shot begins; A and B are scenes, ``*`` is a flash."""
    rng = np.random.default_rng(2)
    scenes = {scene: rng.integers(20, 200, (6, 6)).repeat(20, 0).repeat(20, 1) for scene in "AB"}
    scenes["*"] = scenes["A"] + 55
    frames = [scenes[scene] for scene in "".join(pictures)]
    stage, found = CutStage(), []
    for first in range(0, len(frames), batch):
        pixels = np.array(frames[first : first + batch], np.uint8)
        numbers = np.arange(first, first + len(pixels))
        made = FrameBatch(first_frame=first, pts=numbers, time_s=numbers / 25, pixels=pixels)
        found += numbers[stage.process(made).cuts].tolist()
    return found


def test_a_flash_is_no_cut() -> None:
    assert cuts_in("AAAAAA", "*", "AAAAAA") == []
    assert cuts_in("AAAAAA", "**", "AAAAAA") == []
    assert cuts_in("AAAAAA", "*", "AA", "*", "AAAA") == []


def test_a_shot_is_no_flash() -> None:
    assert cuts_in("AAAAAA", "BBBBBB") == [6]
    assert cuts_in("AAAAAA", "BBBBBB", "AAAAAA") == [6, 12]
    assert cuts_in("AAAAAA", "*", "BBBBBB") != []


def test_the_end_of_a_flash_is_no_cut_wherever_its_batch_ends() -> None:
    for batch in range(1, 12):
        assert cuts_in("AAAAAA", "**", "AAAAAA", batch=batch) in ([], [6])
