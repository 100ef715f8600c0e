"""Compare the pipeline with a baseline and an upper bound: decoding and encoding alone.

Contenders take turns over several rounds, each in a process of its own, so that a machine that
slows down affects all alike.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Lock
from time import monotonic

import av
import cv2
import psutil

from configs.errors import EmotionTimelinesError, UsageError
from configs.load import with_changes
from configs.schema import Settings
from pipeline.bench.baseline import BaselineLoop
from pipeline.bench.usage import cpu_s, memory_mb, tree
from pipeline.results.summary import Summary
from pipeline.run import local_executor
from pipeline.run.plan import provenance_of, with_threads
from pipeline.run.reporter import Reporter
from pipeline.sources import Job
from stages.batch import FrameBatch, VideoInfo
from stages.read.video import VideoReader
from stages.write.video import VideoWriter

BASELINE_FRAMES = 60
"""Of each video: the baseline would take minutes for all of them."""

SAMPLE_S = 0.1
TIMEOUT_S, END_TIMEOUT_S = 900.0, 30.0

UPPER_BOUND, BASELINE = "decode + encode", "baseline"


@dataclass(frozen=True)
class PipelineFigures:
    """Results of one contender: medians over the rounds.

    Attributes:
        contender: its name.
        frames_per_s: throughput from the first video's start to the last one's end, without the
            time to start; the baseline only does 60 frames of each video.
        slowest, fastest: the same, in the worst and best round.
        cpu_ms: CPU time per frame of all processes, in milliseconds.
        start_s: from the start of the process to the first video.
        peak_mb: peak memory of all processes together, in 2^20 bytes.
        of_upper_bound: throughput as a share of that of decoding and encoding alone.
        of_baseline: throughput in multiples of the baseline's.
    """

    contender: str
    frames_per_s: float
    slowest: float
    fastest: float
    cpu_ms: float
    start_s: float
    peak_mb: float
    of_upper_bound: float
    of_baseline: float


@dataclass(frozen=True)
class _Round:
    frames: int
    start_s: float
    streaming_s: float
    cpu_s: float
    peak_mb: float


def compare_pipelines(
    clips: Sequence[Path], settings: Settings, rounds: int, say: Callable[[str], None]
) -> list[PipelineFigures]:
    """Run all contenders on the same videos, in turn.

    Args:
        say: called with a line of text for each contender that cannot run.

    Raises:
        EmotionTimelinesError: a contender did not end in time.
    """
    results: dict[str, list[_Round]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name in list(results):
            try:
                results[name].append(_measured(name, clips, settings))
            except UsageError as error:
                say(f"{name}: {error}")
                del results[name]
    speeds = {
        name: [each.frames / each.streaming_s for each in each_round]
        for name, each_round in results.items()
    }
    upper_bound = median(speeds[UPPER_BOUND])
    baseline = median(speeds[BASELINE]) if BASELINE in speeds else float("nan")
    return [
        PipelineFigures(
            contender=name,
            frames_per_s=median(speeds[name]),
            slowest=min(speeds[name]),
            fastest=max(speeds[name]),
            cpu_ms=median(each.cpu_s / each.frames for each in of_contender) * 1000,
            start_s=median(each.start_s for each in of_contender),
            peak_mb=median(each.peak_mb for each in of_contender),
            of_upper_bound=median(speeds[name]) / upper_bound,
            of_baseline=median(speeds[name]) / baseline,
        )
        for name, of_contender in results.items()
    ]


def _measured(name: str, clips: Sequence[Path], settings: Settings) -> _Round:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with TemporaryDirectory() as folder:
        process = context.Process(target=_contend, args=(name, clips, settings, folder, theirs))
        started_s = monotonic()
        process.start()
        theirs.close()  # So that the end of the process is noticed here.
        try:
            return _followed(name, psutil.Process(process.pid), ours, started_s)
        except EOFError:
            raise EmotionTimelinesError(f"{name}: its process ended early") from None
        finally:
            process.join(END_TIMEOUT_S)
            process.kill()


def _followed(
    name: str, process: psutil.Process, connection: Connection, started_s: float
) -> _Round:
    streaming_s = cpu_before_s = 0.0
    peak_mb = 0.0
    while monotonic() - started_s < TIMEOUT_S:
        processes = tree(process)
        peak_mb = max(peak_mb, memory_mb(processes))
        if not connection.poll(SAMPLE_S):
            continue
        kind, at_s, value = connection.recv()
        if kind == "wrong":
            raise UsageError(value)
        if kind == "streaming":
            streaming_s, cpu_before_s = at_s, cpu_s(tree(process))
        else:
            spent_s = cpu_s(tree(process)) - cpu_before_s
            connection.send("read")
            return _Round(value, streaming_s - started_s, at_s - streaming_s, spent_s, peak_mb)
    raise EmotionTimelinesError(f"{name}: it took longer than {TIMEOUT_S:.0f} s")


def _contend(
    name: str, clips: Sequence[Path], settings: Settings, folder: str, connection: Connection
) -> None:
    cv2.setNumThreads(1)
    stopwatch = _Stopwatch(connection, len(clips))
    try:
        stopwatch.done(CONTENDERS[name](clips, settings, Path(folder), stopwatch))
    except UsageError as error:
        connection.send(("wrong", monotonic(), str(error)))


class _Stopwatch(Reporter):
    """Reports when the first video begins and the last one ends."""

    def __init__(self, connection: Connection, videos: int) -> None:
        self._connection, self._left = connection, videos
        self._streaming = self._is_done = False
        self._lock = Lock()
        self.frames = 0

    def started(self, job: Job | None = None, info: VideoInfo | None = None) -> None:
        with self._lock:  # Two lanes may begin at the same time.
            if not self._streaming:
                self._streaming = True
                self._connection.send(("streaming", monotonic(), 0))

    def finished(self, job: Job, summary: Summary) -> None:
        with self._lock:
            self.frames += summary.frames
            self._left -= 1
            if not self._left:
                self.done(self.frames)

    def done(self, frames: int) -> None:
        """Report the end, and wait until the CPU time of all processes was read."""
        if not self._is_done:
            self._is_done = True
            self._connection.send(("done", monotonic(), frames))
            self._connection.recv()


Contender = Callable[[Sequence[Path], Settings, Path, _Stopwatch], int]


def _decode(clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch) -> int:
    settings = with_threads(settings, os.cpu_count() or 1)
    stopwatch.started()
    frames = 0
    for clip in clips:
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = settings.read.threads
            frames += sum(1 for _ in container.decode(stream))
    return frames


def _decode_and_encode(
    clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch
) -> int:
    settings = with_threads(settings, os.cpu_count() or 1)
    stopwatch.started()
    frames = 0
    for clip in clips:
        with VideoReader(clip, settings.read) as reader:
            film = VideoWriter(folder / "encoded.mp4", reader.info, settings.video, None)
            for batch in reader.batches():
                nobody = FrameBatch(batch.first_frame, batch.pts, batch.time_s, batch.pixels)
                film.write(nobody)
                frames += len(batch)
            film.finish()
    return frames


def _baseline(
    clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch
) -> int:
    cv2.setNumThreads(0)
    loop = BaselineLoop()
    stopwatch.started()
    return sum(loop.analyse(clip, folder / "baseline.mp4", BASELINE_FRAMES) for clip in clips)


def _local(clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch) -> int:
    jobs = _jobs(clips, folder)
    provenance = provenance_of(settings)
    local_executor.run(jobs, settings, provenance, stopwatch, Event())
    return stopwatch.frames


def _ray(clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch) -> int:
    from pipeline.run import ray_executor  # Ray is slow to import.

    jobs = _jobs(clips, folder)
    provenance = provenance_of(settings)
    ray_executor.run(jobs, settings, provenance, stopwatch, Event())
    return stopwatch.frames


def _table_only(run: Contender) -> Contender:
    def without_video(
        clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch
    ) -> int:
        settings = with_changes(settings, {"video": {"enabled": False}}, "bench")
        return run(clips, settings, folder, stopwatch)

    return without_video


def _jobs(clips: Sequence[Path], folder: Path) -> list[Job]:
    return [Job(clip, folder / str(number)) for number, clip in enumerate(clips)]


CONTENDERS: dict[str, Contender] = {
    "decode": _decode,
    UPPER_BOUND: _decode_and_encode,
    BASELINE: _baseline,
    "local": _local,
    "Ray": _ray,
    "local, table only": _table_only(_local),
    "Ray, table only": _table_only(_ray),
}
