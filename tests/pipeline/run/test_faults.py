"""Whatever happens to a run, what was done is kept, and nothing waits for ever."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import av
import pytest

from tests.models.made import make_small
from tests.pipeline.command import (
    EXECUTORS,
    RESULTS,
    ROOT,
    file_names,
    processes_of,
    run,
    start,
    summary,
    timeline,
)
from tests.streams import wait_until

CLIP_S = 2.5
REPETITIONS = 10


@pytest.fixture(scope="module")
def long_video(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-five seconds of a sample clip in a loop, with sound."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    with av.open(str(path), "w") as target:
        copies: dict[str, av.stream.Stream] = {}
        for repetition in range(REPETITIONS):
            with av.open(str(samples["single_face.mp4"])) as source:
                for stream in source.streams:
                    if stream.type not in copies:
                        copies[stream.type] = target.add_stream_from_template(stream)
                for packet in source.demux():
                    if packet.dts is not None:
                        offset = round(repetition * CLIP_S / packet.time_base)
                        packet.pts += offset
                        packet.dts += offset
                        packet.stream = copies[packet.stream.type]
                        target.mux(packet)
    return path


def wait_until_recording(
    running: subprocess.Popen[str], folder: Path, timeout_s: float = 120
) -> None:
    """Wait until some frames of a video have been encoded."""
    film, deadline = folder / ".unfinished.annotated.mp4", time.monotonic() + timeout_s
    while not (film.exists() and film.stat().st_size > 0):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline, "nothing was recorded"
        time.sleep(0.1)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_done_is_kept_when_interrupted(
    long_video: Path, tmp_path: Path, executor: str, request_to_stop: signal.Signals
) -> None:
    running = start("run", long_video, "-o", tmp_path, "--executor", executor)
    folder = tmp_path / "long.mp4"
    wait_until_recording(running, folder)
    running.send_signal(request_to_stop)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    facts = summary(folder)
    assert (facts["status"], facts["reason"]) == ("partial", "interrupted")
    assert file_names(folder) == RESULTS
    with av.open(str(folder / "annotated.mp4")) as film:
        sound, picture = film.streams.audio[0], film.streams.video[0]
        sound_s, picture_s = (float(part.duration * part.time_base) for part in (sound, picture))
        assert sound_s == pytest.approx(picture_s, abs=0.1)
        frames = sum(1 for _ in film.decode(picture))
    assert frames == facts["frames"] == len({row["frame"] for row in timeline(folder)}) > 0


def is_given_up(film: Path) -> bool:
    return not film.exists() or film.stat().st_size == 0


def harm(
    running: subprocess.Popen[str], folder: Path, actor: str, how: signal.Signals, times: int = 1
) -> None:
    """Kill or halt the actors of a kind while they record a video, and those that replace them."""
    harmed: set[int] = set()
    for _ in range(times):
        wait_until_recording(running, folder)
        wait_until(lambda: set(processes_of(running.pid, actor)) - harmed)
        wait_until_recording(running, folder)
        victims = set(processes_of(running.pid, actor)) - harmed
        for victim in victims:
            os.kill(victim, how)
        harmed.update(victims)
        film = folder / ".unfinished.annotated.mp4"
        wait_until(partial(is_given_up, film))


@pytest.mark.ray
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    "actor",
    [
        "FinderActor",
        pytest.param("ReaderActor", marks=pytest.mark.slow),
        pytest.param("RecorderActor", marks=pytest.mark.slow),
    ],
)
def test_video_whose_stage_dies_is_done_again(
    long_video: Path, samples: dict[str, Path], tmp_path: Path, actor: str
) -> None:
    running = start(
        "run", long_video, samples["face_noface.mov"], "-o", tmp_path, "--set", "executor.lanes=1"
    )
    harm(running, tmp_path / "long.mp4", actor, signal.SIGKILL)
    _, errors = running.communicate(timeout=240)
    assert running.returncode == 0
    assert "Traceback" not in errors
    frames = [int(row["frame"]) for row in timeline(tmp_path / "long.mp4")]
    assert sorted(set(frames)) == list(range(summary(tmp_path / "long.mp4")["frames"]))
    assert summary(tmp_path / "long.mp4")["duration_s"] > CLIP_S * (REPETITIONS - 1)
    assert file_names(tmp_path / "long.mp4") == RESULTS
    assert summary(tmp_path / "face_noface.mov")["status"] == "complete"


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_video_whose_stage_dies_twice_is_given_up(
    long_video: Path, samples: dict[str, Path], tmp_path: Path
) -> None:
    running = start(
        "run", long_video, samples["face_noface.mov"], "-o", tmp_path, "--set", "executor.lanes=1"
    )
    harm(running, tmp_path / "long.mp4", "FinderActor", signal.SIGKILL, times=2)
    _, errors = running.communicate(timeout=240)
    assert running.returncode == 1
    assert "Traceback" not in errors
    facts = summary(tmp_path / "long.mp4")
    assert (facts["status"], facts["interrupted"]) == ("partial", True)
    assert "stage of the pipeline died" in facts["reason"]
    assert not [name for name in file_names(tmp_path / "long.mp4") if name.startswith(".")]
    assert summary(tmp_path / "face_noface.mov")["status"] == "complete"


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("actor", ["NetworkActor", "ReaderActor", "FinderActor", "RecorderActor"])
def test_video_whose_stage_hangs_is_done_again(
    long_video: Path, samples: dict[str, Path], tmp_path: Path, actor: str
) -> None:
    running = start(
        "run", long_video, samples["no_face.mp4"], "-o", tmp_path,
        "--set", "executor.lanes=1", "--set", "executor.stall_timeout_s=6",
        "--network", make_small(tmp_path / "own.onnx").path,
    )  # fmt: skip
    harm(running, tmp_path / "long.mp4", actor, signal.SIGSTOP)
    running.communicate(timeout=240)
    assert running.returncode == 0
    assert summary(tmp_path / "long.mp4")["status"] == "complete"
    assert summary(tmp_path / "no_face.mp4")["status"] == "complete"


@pytest.mark.slow
@pytest.mark.ray
def test_results_may_take_longer_to_complete_than_a_stage_may_hang(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    large = tmp_path / "large.mp4"
    large.write_bytes(samples["no_face.mp4"].read_bytes())
    os.truncate(large, 16 * 2**30)  # Takes no room on the disk, but time to hash.
    out = tmp_path / "out"
    outcome = run("run", large, "-o", out, "--no-video", "--set", "executor.stall_timeout_s=8")
    facts = summary(out / large.name)
    assert (facts["frames"], len(facts["input_sha256"])) == (95, 64), outcome.stderr


def test_runs_without_tensorflow(samples: dict[str, Path], tmp_path: Path) -> None:
    arguments = ["run", str(samples["no_face.mp4"]), "-o", str(tmp_path), "--executor", "local"]
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'matplotlib', 'pympi'):\n"
        "    sys.modules[name] = None\n"
        f"sys.argv = {json.dumps(['run_pipeline.py', *arguments])}\n"
        "from pipeline.cli import main\n"
        "main()\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr


def test_wrong_commands_end_with_status_2(samples: dict[str, Path], tmp_path: Path) -> None:
    clip = samples["no_face.mp4"]
    for wrong in (
        ["run"],
        ["run", clip, "--bogus"],
        ["run", clip, "--executor", "rai"],
        ["run", clip, "--config", "nosuch.yaml"],
        ["run", clip, "--model", "nosuch.tflite"],
        ["run", clip, "rtsp://camera/stream"],
        ["run", clip, "--redo", "--retry-failed"],
        ["run", clip, "-o", tmp_path, "--address", "127.0.0.1:1"],
        ["evaluate", tmp_path / "nosuch"],
    ):
        outcome = run(*wrong)
        assert outcome.returncode == 2, wrong
        assert outcome.stderr
        assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_folder_that_cannot_be_written_to_is_reported(
    samples: dict[str, Path], read_only_disk: Path, executor: str
) -> None:
    outcome = run("run", samples["no_face.mp4"], "-o", read_only_disk, "--executor", executor)
    assert outcome.returncode == 1
    assert "Read-only file system" in outcome.stderr
    assert "choose another folder with -o" in outcome.stderr.replace("\n", " ")
    assert "Traceback" not in outcome.stderr
    assert list(read_only_disk.iterdir()) == []
