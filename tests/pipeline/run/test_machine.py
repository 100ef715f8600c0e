"""Threads for the stages of a video."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from pipeline.run import machine as divided
from pipeline.run.machine import usable_cpus, with_threads
from pipeline.run.ray_networks import slots_of_lanes
from tests.pipeline.command import run


@pytest.mark.parametrize(("cpus", "expected"), [(1, (1, 2, 1)), (2, (1, 2, 1)), (16, (4, 16, 4))])
def test_threads_grow_with_the_cpus_of_a_video(cpus: int, expected: tuple[int, ...]) -> None:
    settings = with_threads(load_settings(), cpus)
    assert (settings.read.threads, settings.video.threads, settings.classify.threads) == expected


def test_threads_that_are_asked_for_are_kept() -> None:
    settings = with_threads(load_settings(assignments=["video.threads=3"]), 16)
    assert settings.video.threads == 3


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu.max": "350000 100000"}, 3),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "9900000 100000"}, 8),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
    ],
)
def test_no_more_cpus_are_used_than_the_machine_and_its_limits_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    monkeypatch.setattr(divided, "CGROUP", tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8), raising=False)
    assert usable_cpus() == expected


def test_no_more_than_two_lanes_share_the_networks_of_their_node() -> None:
    slots = slots_of_lanes(["a", "b", "a", "a", "b", "a", "a"])
    assert [tuple(slot) for slot in slots] == [
        ("a", 0), ("b", 0), ("a", 0), ("a", 1), ("b", 0), ("a", 1), ("a", 2),
    ]  # fmt: skip


def test_threads_do_not_change_the_table(samples: dict[str, Path], tmp_path: Path) -> None:
    clip, tables = samples["single_face.mp4"], []
    for threads in (1, 4):
        out = tmp_path / str(threads)
        every = [f"{section}.threads={threads}" for section in ("read", "classify", "video")]
        options = [word for each in every for word in ("--set", each)]
        assert run("run", clip, "-o", out, "--executor", "local", *options).returncode == 0
        tables.append((out / clip.name / "timeline.csv").read_bytes())
    assert tables[0] == tables[1]
