"""Cuts are found where the film has them, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from configs.schema import ReadSettings
from stages.people.cuts import CutStage
from stages.read.video import VideoReader


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
