"""Live streams as a user analyses them: side by side, watched, interrupted, coming and going."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path

import av
import pytest

from pipeline.bench.loopback import LoopbackCamera, make_clip
from tests.pipeline.command import (
    EXECUTORS,
    RESULTS,
    file_names,
    processes_of,
    run,
    start,
    summary,
    timeline,
)
from tests.streams import free_port, wait_until

QUICK = ("--set", "live.retry_wait_s=0.2", "--set", "live.longest_retry_wait_s=0.5")


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = start("run", *arguments, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def rows_in(folder: Path) -> int:
    table = folder / "timeline.csv"
    return len(timeline(folder)) if table.exists() else 0


def frames_of(film: Path) -> int:
    with av.open(str(film)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("executor", EXECUTORS)
def test_two_streams_side_by_side_until_a_set_number_of_frames(
    camera_clips: dict[str, Path], tmp_path: Path, executor: str
) -> None:
    with (
        LoopbackCamera(camera_clips["mpegts"]) as first,
        LoopbackCamera(camera_clips["mjpeg"], "mjpeg") as second,
    ):
        sources = (first.address, second.address)
        outcome = run("run", *sources, "-o", tmp_path, "--frames", 45, "--executor", executor)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    folders = sorted(tmp_path.iterdir())
    assert len(folders) == 2
    for folder in folders:
        made = summary(folder)
        assert (made["status"], made["frames"], made["tracks"]) == ("complete", 45, 1)
        rows = timeline(folder)
        assert [int(row["frame"]) for row in rows] == list(range(45))
        assert float(rows[-1]["time_s"]) == pytest.approx(44 / 15, rel=0.2)
        assert frames_of(folder / "annotated-0001.mp4") == 45
        began = datetime.fromisoformat(made["live"]["started_at"])
        assert timedelta(0) < datetime.now(UTC) - began < timedelta(seconds=90)
        assert 0 < made["live"]["latency_p50_ms"] < 2000


def test_table_grows_where_it_can_be_read_and_interruption_completes_every_file(
    camera_clips: dict[str, Path], tmp_path: Path
) -> None:
    with LoopbackCamera(camera_clips["mpegts"]) as camera:
        pieces = ("--set", "live.piece_s=2", "--set", "live.keep_pieces=2")
        sources = (camera.address, "-o", tmp_path, "--executor", "local", *pieces)
        with running(*sources) as process:
            folder = tmp_path / f"127.0.0.1-{camera.port}"
            wait_until(lambda: rows_in(folder) > 10)
            before = rows_in(folder)
            wait_until(lambda: rows_in(folder) > before, timeout_s=2)
            wait_until(lambda: (folder / "annotated-0003.mp4").exists())
            assert frames_of(folder / "annotated-0003.mp4") == pytest.approx(30, abs=6)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "every file is complete" in said
    made = summary(folder)
    assert made["status"] == "complete"
    assert made["frames"] == len(timeline(folder))
    films = sorted(name for name in file_names(folder) if name.startswith("annotated"))
    assert len(films) == 2
    assert all(frames_of(folder / name) for name in films)
    assert file_names(folder) == {*films, *RESULTS} - {"annotated.mp4"}


def test_lost_stream_comes_back_with_the_same_people_while_the_other_goes_on(
    samples: dict[str, Path], camera_clips: dict[str, Path], tmp_path: Path
) -> None:
    first = camera_clips["mpegts"]
    second = make_clip(
        samples["WolfgangLanger_Pexels.mp4"], tmp_path / "second.mp4", (640, 360), 15, 6
    )
    port = free_port()
    listed = tmp_path / "cameras.yaml"
    with LoopbackCamera(camera_clips["mpegts"]) as steady:
        listed.write_text(
            f"- {{name: steady, address: '{steady.address}'}}\n"
            f"- {{name: restless, address: 'tcp://127.0.0.1:{port}'}}\n"
        )
        out = tmp_path / "out"
        with running(listed, "-o", out, "--executor", "local", "--no-video", *QUICK) as process:
            wait_until(lambda: rows_in(out / "steady") > 5)
            for clip in (first, second, first, second):
                before = rows_in(out / "restless")
                with LoopbackCamera(clip, port=port):
                    wait_until(lambda before=before: rows_in(out / "restless") > before + 20)
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=30)
    assert "restless: connecting: Connection refused" in said
    assert "restless: reconnecting" in said
    made = summary(out / "restless")
    gap, *later = made["live"]["gaps"]
    rows = timeline(out / "restless")
    around = [float(row["time_s"]) for row in rows]
    away_s = sum(each["to_s"] - each["from_s"] for each in (gap, *later[:2]))
    seen_s = sum(person["face_s"] for person in made["people"])
    assert 0 < seen_s <= around[-1] - away_s + 0.2
    following = around.index(min(time for time in around if time >= gap["to_s"] - 1e-3))
    assert around[following] - around[following - 1] > 0.15
    ids = [row["track"] for row in rows if row["track"]]
    assert [person for person, _ in groupby(ids)] == ["1", "2", "1", "2"]
    assert made["status"] == "complete"
    steady_times_s = [float(row["time_s"]) for row in timeline(out / "steady")]
    assert max(b - a for a, b in pairwise(steady_times_s)) < 1.0
    assert summary(out / "steady")["live"]["lost"] == 0


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize(
    ("harm", "reason"), [(signal.SIGKILL, "died"), (signal.SIGSTOP, "no progress for 15 s")]
)
def test_stream_whose_worker_dies_or_hangs_gets_a_new_recording(
    camera_clips: dict[str, Path], tmp_path: Path, harm: signal.Signals, reason: str
) -> None:
    patience = ("--set", "executor.stall_timeout_s=15")
    with LoopbackCamera(camera_clips["mpegts"]) as camera:
        folder = tmp_path / f"127.0.0.1-{camera.port}"
        with running(camera.address, "-o", tmp_path, "--no-video", *patience) as process:
            wait_until(lambda: rows_in(folder) > 10, timeout_s=90)
            (actor,) = processes_of(process.pid, "ray::LiveStream")
            os.kill(actor, harm)
            wait_until((folder / "summary.json").exists, timeout_s=60)
            second = folder.with_name(f"{folder.name}-2")
            wait_until(lambda: rows_in(second) > 10, timeout_s=90)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert summary(folder)["status"] == "partial"
    assert reason in summary(folder)["reason"]
    assert summary(second)["status"] == "complete"


def test_password_is_in_no_file_and_no_message(tmp_path: Path) -> None:
    address = f"rtsp://admin:hush@127.0.0.1:{free_port()}/door?token=quiet"
    limit = ("--set", "live.attempts=2", "--set", "live.retry_wait_s=0.1")
    outcome = run("run", address, "-o", tmp_path, "--executor", "local", "--verbose", *limit)
    assert outcome.returncode == 1
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    for text in (outcome.stdout, outcome.stderr, *written):
        assert "hush" not in text
        assert "quiet" not in text
    made = json.loads(written[0])
    assert made["status"] == "failed"
    assert "given up after 2 failed attempt(s): Connection refused" in made["reason"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("0", "samples"), "files and live streams need a command each"),
        (("samples", "--show"), "--show is for cameras"),
        (("samples", "--duration", "5"), "--duration is for cameras"),
        (("samples", "--frames", "5"), "--frames is for cameras"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: tuple[str, ...], problem: str) -> None:
    outcome = run("run", *arguments)
    assert outcome.returncode == 2
    assert problem in outcome.stderr
