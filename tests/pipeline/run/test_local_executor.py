"""Its threads: whatever one of them meets, the video ends with the reason, and the next is done."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from threading import Event, Timer
from time import monotonic
from typing import Any

import pytest

from configs.errors import StalledError, StopRequestedError
from configs.load import load_settings
from pipeline.chain import Recording
from pipeline.results.summary import Provenance
from pipeline.run import local_executor
from pipeline.run.executor import Reporter, Run
from pipeline.run.prefetch import Prefetch, Prefetchers
from pipeline.sources import Job
from stages.classify import load_network
from stages.faces.detect import DetectStage
from stages.read.video_reader import VideoReader
from tests.pipeline.command import file_names, summary, timeline
from tests.stages.clips import join_clips, make_clip

FRAMES, BATCH = 20, 4
SETTINGS = load_settings(
    flags={"read.batch_frames": BATCH, "executor.stall_timeout_s": 2, "executor.kind": "local"}
)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    return [
        Job(make_clip(tmp_path / f"{n}.mp4", frames=FRAMES), tmp_path / f"out{n}") for n in "ab"
    ]


@pytest.fixture
def gate() -> Iterator[Event]:
    """What hangs waits for it."""
    event = Event()
    yield event
    event.set()


def analyse(jobs: list[Job], stop: Event | None = None) -> list[dict[str, Any]]:
    provenance = Provenance.of(SETTINGS, [load_network(SETTINGS)])
    local_executor.analyse(Run(jobs, SETTINGS, provenance, Reporter(), stop or Event()))
    return [summary(job.folder) for job in jobs if (job.folder / "summary.json").exists()]


def third_time(what: Callable[[], Any], plain: Callable[..., Any]) -> Callable[..., Any]:
    """A method that does something else when it is called the third time in all."""
    calls: list[None] = []

    def method(*arguments: Any) -> Any:
        calls.append(None)
        return what() if len(calls) == 3 else plain(*arguments)

    return method


def fail() -> None:
    raise RuntimeError("of its own kind")


@pytest.mark.parametrize("stage", [DetectStage, Recording])
def test_an_error_in_a_thread_is_the_reason_and_what_was_recorded_is_kept(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch, stage: Any
) -> None:
    monkeypatch.setattr(stage, "process", third_time(fail, stage.process))
    failed, whole = analyse(jobs)
    assert (failed["status"], failed["frames"]) == ("partial", 2 * BATCH)
    assert "of its own kind" in failed["reason"]
    assert len(timeline(jobs[0].folder)) == 2 * BATCH
    assert (whole["status"], whole["frames"]) == ("complete", FRAMES)


@pytest.mark.parametrize(("stage", "frames"), [(DetectStage, 2 * BATCH), (Recording, 0)])
def test_a_video_whose_stage_hangs_is_given_up(
    jobs: list[Job], gate: Event, monkeypatch: pytest.MonkeyPatch, stage: Any, frames: int
) -> None:
    monkeypatch.setattr(stage, "process", third_time(gate.wait, stage.process))
    hung, whole = analyse(jobs)
    assert "no progress for 2 s" in hung["reason"]
    assert hung["status"] == ("partial" if frames else "failed")
    assert hung["frames"] == frames
    assert not [name for name in file_names(jobs[0].folder) if name.startswith(".")]
    assert (whole["status"], whole["frames"]) == ("complete", FRAMES)


@pytest.mark.parametrize("method", ["__init__", "batches"])
def test_a_video_that_cannot_be_read_on_is_given_up_and_may_be_interrupted(
    jobs: list[Job], gate: Event, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(VideoReader, method, lambda *_: gate.wait())
    monkeypatch.setattr(VideoReader, "__exit__", lambda *_: None)
    stop, began_s = Event(), monotonic()
    Timer(0.3, stop.set).start()
    (facts,) = analyse(jobs, stop)
    assert facts["reason"] == "interrupted"
    (facts,) = analyse(jobs[:1])
    assert "no progress for 2 s" in facts["reason"]
    assert monotonic() - began_s < 60


def test_a_thread_is_at_most_a_few_items_ahead() -> None:
    made = []

    def items() -> Generator[int, None, None]:
        for number in range(100):
            made.append(number)
            yield number

    with Prefetchers(most=2, stop=Event(), timeout_s=10) as line:
        for number in line.start("items", items()):
            assert len(made) <= number + 1 + 2 + 1  # Taken, waiting, and the next one.
    assert not line.hanging
    assert len(made) == 100


def test_a_thread_whose_items_nobody_takes_ends() -> None:
    closed = Event()

    def items() -> Generator[int, None, None]:
        try:
            yield from range(100)
        finally:
            closed.set()

    with Prefetchers(most=1, stop=Event(), timeout_s=10) as line:
        assert next(iter(line.start("items", items()))) == 0
    assert not line.hanging
    assert closed.is_set()


def test_whoever_waits_is_told_to_stop_and_of_a_time_out() -> None:
    gate, stop = Event(), Event()

    def items() -> Generator[int, None, None]:
        gate.wait()
        yield 0

    with pytest.raises(StalledError, match=r"no progress for 0\.3 s"):
        next(iter(Prefetch("items", items(), 1, stop, 0.3)))
    Timer(0.1, stop.set).start()
    with pytest.raises(StopRequestedError):
        next(iter(Prefetch("items", items(), 1, stop, 60)))
    gate.set()


MEMORY_OF_EACH_VIDEO = """
import sys, threading
from pathlib import Path
import psutil
from configs.load import load_settings
from pipeline.run import local_executor
from pipeline.run.executor import Run
from pipeline.run.provenance import provenance_of
from pipeline.run.executor import Reporter
from pipeline.sources import Job

class Memory(Reporter):
    def finished(self, job, summary):
        print(psutil.Process().memory_info().rss >> 20)

settings = load_settings(assignments=["video.preset=ultrafast"])
clip = Path(sys.argv[1])
jobs = [Job(clip, clip.parent / str(number)) for number in range(6)]
local_executor.analyse(Run(jobs, settings, provenance_of(settings), Memory(), threading.Event()))
"""


def test_a_process_does_not_grow_with_each_video(samples: dict[str, Path], tmp_path: Path) -> None:
    clip = join_clips(
        tmp_path / "large.mp4", samples["single_face.mp4"], size=(1280, 720), frames=72
    )
    arguments = [sys.executable, "-c", MEMORY_OF_EACH_VIDEO, str(clip)]
    done = subprocess.run(arguments, capture_output=True, check=True, text=True, timeout=120)
    first_mb, *_, last_mb = map(int, done.stdout.split())
    assert last_mb < first_mb + 100, done.stdout
