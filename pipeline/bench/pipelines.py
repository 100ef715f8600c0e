"""Compare the pipeline with a baseline and an upper bound: decoding and encoding alone.

Contenders take turns over several rounds, each in a process of its own, so that a machine that
slows down affects all alike.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Lock
from time import monotonic

import av
import cv2
import numpy as np
import psutil

from configs.errors import EmotionTimelinesError, UsageError
from configs.load import with_changes
from configs.schema import Settings
from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.libraries import packages_needed
from pipeline.results.summary import Summary
from pipeline.run import local_executor
from pipeline.run.executor import Reporter, Run
from pipeline.run.machine import usable_cpus, with_threads
from pipeline.run.provenance import provenance_of
from pipeline.sources import Job
from stages.batch import FrameBatch, VideoInfo
from stages.faces.older_detectors import CASCADE
from stages.read.video_reader import VideoReader
from stages.write.video_writer import VideoWriter

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
    settings = with_threads(settings, usable_cpus())
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
    settings = with_threads(settings, usable_cpus())
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


class _BaselineLoop:
    """A loop over OpenCV's frames, as such programs are usually written: Haar cascade,
    ``model.predict`` for each face, ``VideoWriter``.

    Its network is not trained, which does not change its speed.

    Raises:
        MissingPackageError: TensorFlow is not installed.
    """

    def __init__(self) -> None:
        with packages_needed("the baseline", "tensorflow"):
            from models.architectures import build
        self._network = build("seed")
        self._network.predict(np.zeros((1, FACE_SIZE_PX, FACE_SIZE_PX, 1)), verbose=0)
        self._cascade = cv2.CascadeClassifier(str(CASCADE))

    def analyse(self, clip: Path, film: Path, max_frames: int) -> int:
        """Annotate the first frames of a video; returns their number."""
        capture = cv2.VideoCapture(str(clip))
        size = tuple(int(capture.get(side)) for side in (3, 4))
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(film), codec, capture.get(cv2.CAP_PROP_FPS) or 25, size)
        frames = 0
        while frames < max_frames:
            read, image = capture.read()
            if not read:
                break
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            for x, y, width, height in self._cascade.detectMultiScale(grey, 1.3, 5):
                face = cv2.resize(grey[y : y + height, x : x + width], (FACE_SIZE_PX,) * 2)
                predicted = self._network.predict(face[None, ..., None], verbose=0)
                label = EMOTIONS[int(predicted.argmax())]
                cv2.rectangle(image, (x, y), (x + width, y + height), (0, 255, 0), 2)
                cv2.putText(image, label, (x, y - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 255, 0), 2)
            writer.write(image)
            frames += 1
        capture.release()
        writer.release()
        return frames


def _baseline(
    clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch
) -> int:
    cv2.setNumThreads(0)
    loop = _BaselineLoop()
    stopwatch.started()
    return sum(loop.analyse(clip, folder / "baseline.mp4", BASELINE_FRAMES) for clip in clips)


def _local(clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch) -> int:
    jobs = _jobs(clips, folder)
    provenance = provenance_of(settings)
    local_executor.analyse(Run(jobs, settings, provenance, stopwatch, Event()))
    return stopwatch.frames


def _ray(clips: Sequence[Path], settings: Settings, folder: Path, stopwatch: _Stopwatch) -> int:
    from pipeline.run import ray_executor  # Ray is slow to import.

    jobs = _jobs(clips, folder)
    provenance = provenance_of(settings)
    ray_executor.analyse(Run(jobs, settings, provenance, stopwatch, Event()))
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


def tree(root: psutil.Process, without: int | None = None) -> list[psutil.Process]:
    """A process and its descendants, except for the process id ``without``."""
    try:
        below = root.children(recursive=True)
    except psutil.Error:
        return []
    return [root, *(process for process in below if process.pid != without)]


def memory_mb(processes: Iterable[psutil.Process]) -> float:
    """Memory in 2^20 bytes; shared pages count once, where the system can tell."""
    total = 0
    for process in processes:
        try:
            memory = process.memory_full_info()
        except psutil.Error:  # It has just ended.
            continue
        total += getattr(memory, "pss", memory.uss)
    return total / 2**20


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """CPU time so far, in seconds."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total
