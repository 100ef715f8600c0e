"""What a live stream recorded is kept, and what was not is told, whatever happens to its files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from time import sleep

import av
import pytest

from pipeline.bench.loopback import LoopbackCamera
from tests.pipeline.command import (
    RESULTS,
    file_names,
    processes_of,
    run,
    start,
    summary,
    timeline,
)
from tests.streams import wait_until

WHOLE = {*RESULTS, "annotated-0001.mp4"} - {"annotated.mp4"}


@contextmanager
def recording(
    camera: LoopbackCamera, out: Path, *options: str, frames: int = 20
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A program that records a camera, and its folder, once there are some frames."""
    arguments = ("run", camera.address, "-o", out, *options)
    process = start(*arguments, stderr=subprocess.STDOUT)
    folder = out / f"127.0.0.1-{camera.port}"
    try:
        wait_until(lambda: rows_in(folder) > frames)
        yield process, folder
    finally:
        process.kill()
        process.wait()


def rows_in(folder: Path) -> int:
    table = folder / "timeline.csv"
    return len(timeline(folder)) if table.exists() else 0


def interrupted(process: subprocess.Popen[str]) -> str:
    """What a program says until it has stopped in good order."""
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    return said


def seconds_of(film: Path) -> float:
    with av.open(str(film)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)][-1]


def fill_disk_of(file: Path) -> None:
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def wait_until_it_stands_still(folder: Path) -> int:
    """Returns the number of rows."""
    before = -1
    while before != (before := rows_in(folder)):
        sleep(2)
    return before


@pytest.fixture
def camera(camera_clips: dict[str, Path]) -> Iterator[LoopbackCamera]:
    with LoopbackCamera(camera_clips["mpegts"]) as camera:
        yield camera


def test_two_programs_do_not_record_into_one_folder(
    camera: LoopbackCamera, samples: dict[str, Path], tmp_path: Path
) -> None:
    with recording(camera, tmp_path, "--executor", "local") as (process, folder):
        for source in (camera.address, samples["no_face.mp4"]):
            other = run("run", source, "-o", tmp_path, "--executor", "local")
            assert other.returncode == 2
            assert "another run is writing there" in other.stderr
        assert "every file is complete" in interrupted(process)
    tables = {"videos.csv", "videos.json", "people.csv", "people.json"}
    assert file_names(tmp_path) == {folder.name, *tables}
    assert summary(folder)["status"] == "complete"
    assert summary(folder)["frames"] == rows_in(folder)


@pytest.mark.slow
def test_a_full_disk_costs_no_more_than_what_came_while_it_was_full(
    camera: LoopbackCamera, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    ballast, options = small_disk / "ballast", ("--executor", "local")
    with recording(camera, small_disk / "out", *options, frames=60) as (process, folder):
        fill_disk_of(ballast)
        while_full = wait_until_it_stands_still(folder)
        assert file_names(folder) == {"timeline.csv", "annotated-0001.mp4"}
        ballast.unlink()
        second = folder / ".unfinished.annotated-0002.mp4"
        wait_until(lambda: rows_in(folder) > while_full and second.exists())
        wait_until(lambda: second.stat().st_size > 20_000)
        said = interrupted(process)
    facts, rows = summary(folder), timeline(folder)
    assert "what could be recorded is kept" in said
    assert "No space left on device" in said
    assert file_names(folder) == WHOLE | {"annotated-0002.mp4"}
    assert (facts["status"], facts["frames"]) == ("partial", len({row["frame"] for row in rows}))
    assert "frames are not in timeline.csv: " in facts["reason"]
    assert "the annotated video has gaps: " in facts["reason"]
    (gap,) = facts["live"]["gaps"]
    assert "No space left on device" in gap["reason"]
    times_s = [float(row["time_s"]) for row in rows]
    assert (gap["from_s"], gap["to_s"]) in list(pairwise(times_s))
    first, second_piece = facts["live"]["pieces"]
    assert 1 < seconds_of(folder / first["name"]) < gap["from_s"]
    assert gap["to_s"] < second_piece["from_s"]
    assert seconds_of(folder / second_piece["name"]) > 0
    (person,) = facts["people"]
    assert person["face_s"] < times_s[-1] - (gap["to_s"] - gap["from_s"]) + 1


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["folder", "timeline.csv"])
def test_a_recording_whose_folder_or_table_is_deleted_is_told_and_begun_anew(
    camera: LoopbackCamera, tmp_path: Path, gone: str
) -> None:
    with recording(camera, tmp_path, "--executor", "local") as (process, folder):
        if gone == "folder":
            shutil.rmtree(folder)
            anew = folder
        else:
            (folder / gone).unlink()
            anew = folder.with_name(f"{folder.name}-2")
        wait_until(lambda: rows_in(anew) > 10)
        said = interrupted(process)
    assert "somebody deleted" in said
    assert "every file is complete" not in said
    assert file_names(anew) == WHOLE
    assert (summary(anew)["status"], summary(anew)["frames"]) == ("complete", rows_in(anew))
    if anew != folder:
        assert file_names(folder) == {"annotated-0001.mp4", "summary.json"}
        assert (summary(folder)["status"], summary(folder)["frames"]) == ("failed", 0)


@pytest.mark.parametrize(
    "executor", ["local", pytest.param("ray", marks=(pytest.mark.ray, pytest.mark.slow))]
)
def test_a_lost_terminal_or_reader_ends_in_good_order(
    camera: LoopbackCamera, tmp_path: Path, executor: str
) -> None:
    with recording(camera, tmp_path, "--executor", executor) as (process, folder):
        assert process.stdout is not None
        process.stdout.close()
        before = rows_in(folder)
        wait_until(lambda: rows_in(folder) > before + 10)
        os.killpg(process.pid, signal.SIGHUP)
        assert process.wait(60) == 130
    assert file_names(folder) == WHOLE
    assert (summary(folder)["status"], summary(folder)["frames"]) == ("complete", rows_in(folder))


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_when_ray_itself_dies_it_is_told_and_what_plays_is_kept(
    camera: LoopbackCamera, tmp_path: Path
) -> None:
    with recording(camera, tmp_path, frames=60) as (process, folder):
        for pid in processes_of(process.pid, "/raylet/raylet"):
            os.kill(pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Ray itself died" in said
    facts = summary(folder)
    assert (facts["status"], facts["frames"]) == ("partial", rows_in(folder))
    assert "Ray itself died" in facts["reason"]
    assert seconds_of(folder / "annotated-0001.mp4") > 1
    assert not [name for name in file_names(folder) if name.startswith(".")]
