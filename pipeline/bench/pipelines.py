"""Measure the whole pipeline against the usual program, and against the floor that none can beat.

Each contender runs in a process of its own, one after the other, in several rounds: so a machine
that slows down meanwhile is unfair to none.
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
from pipeline.bench.baseline import OriginalLoop
from pipeline.bench.usage import cpu_s, memory_mb, tree
from pipeline.results.summary import Provenance, Summary
from pipeline.run import local_executor
from pipeline.run.plan import load_network, with_threads
from pipeline.run.reporter import Reporter
from pipeline.sources import Job
from stages.batch import FrameBatch, VideoInfo
from stages.read.video import VideoReader
from stages.write.video import VideoWriter

ORIGINAL_FRAMES = 60
"""Of each video: the original loop would take minutes for all of them."""

SAMPLE_S = 0.1
TIMEOUT_S, END_TIMEOUT_S = 900.0, 30.0

FLOOR, ORIGINAL = "decode + encode", "original loop"


@dataclass(frozen=True)
class PipelineFigures:
    """How one contender did; medians over the rounds.

    Attributes:
        contender: which.
        frames_per_s: from the first video's start to the last one's end, start-up apart; the
            original loop is stopped after 60 frames of each video.
        slowest, fastest: the same, in the worst and best round.
        cpu_ms: CPU time a frame of all processes, in milliseconds.
        start_s: from the start of the process to the first video.
        peak_mb: most memory of all its processes together, in 2^20 bytes.
        of_floor: frames a second, as a share of those of decoding and encoding alone.
        of_original: the same, of the original loop's.
    """

    contender: str
    frames_per_s: float
    slowest: float
    fastest: float
    cpu_ms: float
    start_s: float
    peak_mb: float
    of_floor: float
    of_original: float


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
    """Let all contenders analyse the same videos, in turn.

    Args:
        say: is told of contenders that cannot take part.

    Raises:
        EmotionTimelinesError: one of them did not end in time.
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
    floor = median(speeds[FLOOR])
    original = median(speeds[ORIGINAL]) if ORIGINAL in speeds else float("nan")
    return [
        PipelineFigures(
            contender=name,
            frames_per_s=median(speeds[name]),
            slowest=min(speeds[name]),
            fastest=max(speeds[name]),
            cpu_ms=median(each.cpu_s / each.frames for each in of_contender) * 1000,
            start_s=median(each.start_s for each in of_contender),
            peak_mb=median(each.peak_mb for each in of_contender),
            of_floor=median(speeds[name]) / floor,
            of_original=median(speeds[name]) / original,
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
        theirs.close()  # So that its end is noticed here, however it comes.
        try:
            return _watched(name, psutil.Process(process.pid), ours, started_s)
        except EOFError:
            raise EmotionTimelinesError(f"{name}: its process ended early") from None
        finally:
            process.join(END_TIMEOUT_S)
            process.kill()


def _watched(
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
    watch = _Stopwatch(connection, len(clips))
    try:
        watch.done(CONTENDERS[name](clips, settings, Path(folder), watch))
    except UsageError as error:
        connection.send(("wrong", monotonic(), str(error)))


class _Stopwatch(Reporter):
    """Notes when the first video begins and the last one ends."""

    def __init__(self, connection: Connection, videos: int) -> None:
        self._connection, self._left = connection, videos
        self._streaming = self._told = False
        self._lock = Lock()
        self.frames = 0

    def started(self, job: Job | None = None, info: VideoInfo | None = None) -> None:
        with self._lock:  # Two lanes may begin at once.
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
        """Tell that all is done, and wait until the time of all processes was read."""
        if not self._told:
            self._told = True
            self._connection.send(("done", monotonic(), frames))
            self._connection.recv()


Contender = Callable[[Sequence[Path], Settings, Path, _Stopwatch], int]


def _decode(clips: Sequence[Path], settings: Settings, folder: Path, watch: _Stopwatch) -> int:
    settings = with_threads(settings, os.cpu_count() or 1)
    watch.started()
    frames = 0
    for clip in clips:
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = settings.read.threads
            frames += sum(1 for _ in container.decode(stream))
    return frames


def _decode_and_encode(
    clips: Sequence[Path], settings: Settings, folder: Path, watch: _Stopwatch
) -> int:
    settings = with_threads(settings, os.cpu_count() or 1)
    watch.started()
    frames = 0
    for clip in clips:
        with VideoReader(clip, settings.read) as reader:
            film = VideoWriter(folder / "floor.mp4", reader.info, settings.video, None)
            for batch in reader.batches():
                nobody = FrameBatch(batch.first_frame, batch.pts, batch.time_s, batch.pixels)
                film.write(nobody)
                frames += len(batch)
            film.finish()
    return frames


def _original(clips: Sequence[Path], settings: Settings, folder: Path, watch: _Stopwatch) -> int:
    cv2.setNumThreads(0)
    loop = OriginalLoop()
    watch.started()
    return sum(loop.analyse(clip, folder / "original.mp4", ORIGINAL_FRAMES) for clip in clips)


def _local(clips: Sequence[Path], settings: Settings, folder: Path, watch: _Stopwatch) -> int:
    jobs = _jobs(clips, folder)
    provenance = Provenance.of(settings, load_network(settings))
    local_executor.run(jobs, settings, provenance, watch, Event())
    return watch.frames


def _ray(clips: Sequence[Path], settings: Settings, folder: Path, watch: _Stopwatch) -> int:
    from pipeline.run import ray_executor  # Importing Ray takes time that others do not spend.

    jobs = _jobs(clips, folder)
    provenance = Provenance.of(settings, load_network(settings))
    ray_executor.run(jobs, settings, provenance, watch, Event())
    return watch.frames


def _table_only(run: Contender) -> Contender:
    def without_film(
        clips: Sequence[Path], settings: Settings, folder: Path, watch: _Stopwatch
    ) -> int:
        settings = with_changes(settings, {"video": {"enabled": False}}, "bench")
        return run(clips, settings, folder, watch)

    return without_film


def _jobs(clips: Sequence[Path], folder: Path) -> list[Job]:
    return [Job(clip, folder / str(number)) for number, clip in enumerate(clips)]


CONTENDERS: dict[str, Contender] = {
    "decode": _decode,
    FLOOR: _decode_and_encode,
    ORIGINAL: _original,
    "local": _local,
    "Ray": _ray,
    "local, table only": _table_only(_local),
    "Ray, table only": _table_only(_ray),
}
