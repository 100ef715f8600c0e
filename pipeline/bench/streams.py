"""Measure live streams: latency, dropped frames, CPU time and memory of several at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic

import psutil

from configs.errors import EmotionTimelinesError
from configs.schema import Settings
from pipeline.bench.loopback import LoopbackCamera, make_clip
from pipeline.bench.pipelines import cpu_s, memory_mb, tree
from pipeline.live.supervisor import Supervisor
from pipeline.live.workers import worker_starter
from pipeline.run.provenance import provenance_of
from pipeline.sources import find_streams

START_TIMEOUT_S = 120.0
WARM_UP_S = 10.0
CLIP_S = 30.0
POLL_S = 1.0
SAMPLE_S = 5.0
"""Between two measurements of memory: each takes some 10 ms for every process."""

FIRST_MINUTE_S = 60.0


@dataclass(frozen=True)
class LiveFigures:
    """Results of streams that were analysed at the same time.

    Attributes:
        streams, width, height, rate: number, frame size and frame rate of the streams.
        seconds: duration of the measurement, once all streams were live.
        frames: in all timelines together.
        dropped: share of the frames that were dropped.
        p50_ms, p95_ms: median and 95th percentile of the time from a frame's arrival to its rows in
            the table, over the last 600 frames; of the stream with the longest.
        cores: CPU seconds per second, without those of the cameras.
        minute_mb, end_mb: memory of all processes after a minute (or half the duration, if that is
            shorter) and at the end, median of some seconds, in 2^20 bytes; shared pages count
            once.
    """

    streams: int
    width: int
    height: int
    rate: int
    seconds: float
    frames: int
    dropped: float
    p50_ms: float
    p95_ms: float
    cores: float
    minute_mb: float
    end_mb: float


def measure_streams(
    source: Path,
    count: int,
    size: tuple[int, int],
    rate: int,
    seconds: float,
    settings: Settings,
) -> LiveFigures:
    """Analyse streams that this machine sends to itself.

    Args:
        source: video to send.
        count: number of streams.
        size, rate: width and height, and frames per second.
        seconds: duration of the measurement.

    Raises:
        EmotionTimelinesError: not all streams were live in time.
    """
    with TemporaryDirectory() as folder, ExitStack() as stack:
        clip = make_clip(source, Path(folder) / "camera.mp4", size, rate, CLIP_S)
        addresses, cameras_pid = stack.enter_context(_cameras(clip, count))
        streams = find_streams(addresses, settings, Path(folder))
        provenance = provenance_of(settings)
        start_worker = stack.enter_context(worker_starter(settings, verbose=False))
        supervisor = Supervisor(streams, provenance, start_worker, say=lambda line: None)
        stop = Event()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(supervisor.run, stop)
            try:
                figures = _measured(supervisor, size, rate, seconds, cameras_pid)
            finally:
                stop.set()
            running.result()  # Its errors are those of the measurement.
            return figures


def _measured(
    supervisor: Supervisor, size: tuple[int, int], rate: int, seconds: float, cameras_pid: int
) -> LiveFigures:
    pause, started_s = Event(), monotonic()
    while not all(status.state == "live" for status in supervisor.statuses()):
        if monotonic() - started_s > START_TIMEOUT_S:
            raise EmotionTimelinesError("the streams did not all start; nothing was measured")
        pause.wait(POLL_S)
    pause.wait(WARM_UP_S)
    before, cpu_before_s, started_s = (
        supervisor.statuses(),
        cpu_s(tree(psutil.Process(), without=cameras_pid)),
        monotonic(),
    )
    samples_mb: list[float] = []
    while monotonic() - started_s < seconds:
        pause.wait(min(SAMPLE_S, seconds / 2))
        samples_mb.append(memory_mb(tree(psutil.Process(), without=cameras_pid)))
    elapsed_s = monotonic() - started_s
    after = supervisor.statuses()
    spent_s = cpu_s(tree(psutil.Process(), without=cameras_pid)) - cpu_before_s
    frames, dropped = (
        sum(getattr(status, name) for status in after)
        - sum(getattr(status, name) for status in before)
        for name in ("frames", "dropped")
    )
    minute = int(min(FIRST_MINUTE_S / SAMPLE_S, len(samples_mb) / 2))
    some = max(1, len(samples_mb) // 20)
    return LiveFigures(
        streams=len(after),
        width=size[0],
        height=size[1],
        rate=rate,
        seconds=round(elapsed_s, 1),
        frames=frames,
        dropped=dropped / max(1, frames + dropped),
        p50_ms=max(status.latency_p50_ms for status in after),
        p95_ms=max(status.latency_p95_ms for status in after),
        cores=spent_s / elapsed_s,
        minute_mb=median(samples_mb[minute : minute + some]),
        end_mb=median(samples_mb[-some:]),
    )


@contextmanager
def _cameras(clip: Path, count: int) -> Iterator[tuple[list[str], int]]:
    """Cameras in a process of their own, so that their CPU time is not measured."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(clip, count, theirs), daemon=True)
    process.start()
    assert process.pid is not None
    try:
        yield ours.recv(), process.pid
    finally:
        process.terminate()
        process.join()


def _serve(clip: Path, count: int, connection: Connection) -> None:
    with ExitStack() as stack:
        cameras = [stack.enter_context(LoopbackCamera(clip)) for _ in range(count)]
        connection.send([camera.address for camera in cameras])
        Event().wait()
