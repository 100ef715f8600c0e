"""Whatever is killed, and whenever: once repeated, a batch has the tables of an undisturbed one."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.pipeline.command import processes_of, run, start, summary
from tests.streams import wait_until

SEED = 1
VICTIMS = (
    "driver",
    "ReaderActor",
    "FinderActor",
    "NetworkActor",
    "RecorderActor",
    "raylet",
    "gcs_server",
)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(0)
def test_tables_are_the_same_after_any_number_of_kills(
    samples: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kills = request.config.getoption("--kills")
    clips = request.config.getoption("--kill-clips")
    chance = random.Random(SEED)
    videos = batch_of(clips, list(samples.values()), tmp_path / "videos")
    whole, out = tmp_path / "whole", tmp_path / "out"
    run("run", videos, "-o", whole, "--executor", "local", "--no-video", timeout_s=60 + 10 * clips)

    done, process = 0, begun(videos, out)
    while done < kills:
        time.sleep(chance.uniform(1, 12))
        if process.poll() is not None:
            # The batch was complete before the next kill was due: undo some of it.
            records = sorted(out.glob("*/summary.json"))
            for record in chance.sample(records, min(len(records), clips // 2)):
                record.unlink()
            process = begun(videos, out)
            continue
        victim = chance.choice(VICTIMS)
        pids = [process.pid] if victim == "driver" else processes_of(process.pid, victim)
        if not pids:
            continue
        os.kill(chance.choice(pids), signal.SIGKILL)
        done += 1
        if victim == "driver":
            process.wait()
            process = begun(videos, out)
    process.communicate(timeout=60 + 20 * clips)
    outcome = run("run", videos, "-o", out, timeout_s=60 + 20 * clips)
    assert "Traceback" not in outcome.stderr
    for video in videos.iterdir():
        assert summary(out / video.name)["status"] == summary(whole / video.name)["status"]
        tables = [folder / video.name / "timeline.csv" for folder in (whole, out)]
        assert tables[0].exists() == tables[1].exists()
        if tables[0].exists():
            assert tables[0].read_bytes() == tables[1].read_bytes()


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("victim", ["raylet", "gcs_server"])
def test_batch_goes_on_after_ray_itself_died(
    samples: dict[str, Path], tmp_path: Path, victim: str
) -> None:
    videos, out = batch_of(4, list(samples.values()), tmp_path / "videos"), tmp_path / "out"
    process = start("run", videos, "-o", out, "--no-video", "--set", "executor.lanes=1")
    wait_until(lambda: any(out.glob("*/summary.json")), timeout_s=60)
    os.kill(processes_of(process.pid, victim)[0], signal.SIGKILL)
    _, said = process.communicate(timeout=150)
    assert process.returncode == 0, said
    assert said.count("Ray itself died") == 1
    assert all(summary(out / video.name)["status"] == "complete" for video in videos.iterdir())


def batch_of(count: int, clips: list[Path], folder: Path) -> Path:
    """Copies of the clips; every fifth is cut off, every tenth is not a video."""
    folder.mkdir()
    for number in range(count):
        clip = clips[number % len(clips)]
        target = folder / f"{number:02d}-{clip.name}"
        if number % 10 == 9:
            target.write_text("no video")
        elif number % 5 == 4:
            target.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
        else:
            shutil.copy(clip, target)
    return folder


def begun(videos: Path, out: Path) -> subprocess.Popen[str]:
    return start(
        "run", videos, "-o", out, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
