"""Threads for the stages of a video."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from pipeline.run.plan.threads import with_threads
from tests.pipeline.command import run


@pytest.mark.parametrize(("cpus", "expected"), [(1, (1, 2, 1)), (2, (1, 2, 1)), (16, (4, 16, 4))])
def test_threads_grow_with_the_cpus_of_a_video(cpus: int, expected: tuple[int, ...]) -> None:
    settings = with_threads(load_settings(), cpus)
    assert (settings.read.threads, settings.video.threads, settings.classify.threads) == expected


def test_threads_that_are_asked_for_are_kept() -> None:
    settings = with_threads(load_settings(assignments=["video.threads=3"]), 16)
    assert settings.video.threads == 3


def test_threads_do_not_change_the_table(samples: dict[str, Path], tmp_path: Path) -> None:
    clip, tables = samples["single_face.mp4"], []
    for threads in (1, 4):
        out = tmp_path / str(threads)
        every = [f"{section}.threads={threads}" for section in ("read", "classify", "video")]
        options = [word for each in every for word in ("--set", each)]
        assert run("run", clip, "-o", out, "--executor", "local", *options).returncode == 0
        tables.append((out / clip.name / "timeline.csv").read_bytes())
    assert tables[0] == tables[1]
