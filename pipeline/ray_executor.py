"""Run the plan on Ray: stages are actors that work at the same time, joined by bounded queues.

A lane is a reader, a face finder and a recorder, each an actor of its own; it takes one video
after the other. All lanes share one classifier, which puts the faces of several together.

    reader --frames--> finder --faces--> classifier --faces--> recorder
       \\_______________________frames (shared memory)___________/

Frames are written to shared memory once, by the reader, and read in place. The queues are bounded
twice: the reader pauses when too many of its batches wait, and the driver hands on no new batch
while ``executor.queue_batches`` are between the reader and the recorder.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from time import monotonic
from typing import Any

# Ray reads these when it is imported: nothing is reported over the network, and no warning is
# shown about devices that actors without a claim on them do not see.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
import ray

from configs.errors import (
    EmotionTimelinesError,
    SourceError,
    StalledError,
    StopRequestedError,
    UsageError,
    explain,
)
from configs.schema import Settings
from pipeline.actors import ClassifierActor, FinderActor, ReaderActor, RecorderActor
from pipeline.live import LiveStream, StreamStatus
from pipeline.progress import Reporter
from pipeline.recorder import record_failure
from pipeline.sources import Job, Stream
from pipeline.summary import Provenance, Summary

POLL_S = 0.2
ATTEMPTS = 2
CONNECT_TIMEOUT_S = 10
MIN_OBJECT_STORE_MB = 256
ANSWER_TIMEOUT_S = 10
"""For short questions to the actor of a live stream."""

THREADS_OF_A_STREAM = 8
"""One is at work, the others answer questions."""


class Lane:
    """The actors that work on one video, and the queue between them."""

    def __init__(self, classifier: Any, settings: Settings, provenance: Provenance) -> None:
        self._classifier = classifier
        self._settings, self._provenance = settings, provenance
        self._broke = False
        self._start_actors()

    def analyse(self, job: Job, reporter: Reporter, stop: Event) -> Summary:
        """Take one video through all stages, a second time if a stage died or hung.

        Raises nothing.
        """
        for _ in range(ATTEMPTS):
            self._broke = False
            summary = self._attempt(job, reporter, stop)
            if not self._broke or stop.is_set():
                break
        return summary

    def _attempt(self, job: Job, reporter: Reporter, stop: Event) -> Summary:
        try:
            info = self._get(self._reader.open.remote(job))
        except Exception as error:
            self._take_note(error)
            return record_failure(job, _reason(error), self._provenance)
        reporter.started(job, info)
        try:
            self._get([self._finder.open.remote(info), self._recorder.open.remote(job, info)])
            for frames in self._record(stop):
                reporter.advanced(job, frames)
            return self._get(self._recorder.finish.remote(None))
        except Exception as error:  # Whatever is wrong with one video, the others go on.
            summary = self._finish_early(_reason(error))
            self._take_note(error)
            if not self._broke and not stop.is_set():
                # The reader may still be at work, or wait to hand over frames that nobody wants.
                self._restart_actors()
            return summary or record_failure(job, _reason(error), self._provenance)

    def _take_note(self, error: Exception) -> None:
        """Get fresh actors if the error is not of the video, but of the lane."""
        expected = isinstance(error, SourceError) and not isinstance(error, StalledError)
        if not expected:
            self._broke = True
            self._restart_actors()

    def _record(self, stop: Event) -> Iterator[int]:
        """Send all frames through the stages; yields the number recorded so far."""
        queue_batches = self._settings.executor.queue_batches
        frames_read = self._reader.batches.options(
            num_returns="streaming", _generator_backpressure_num_objects=queue_batches
        ).remote()
        in_flight: deque[ray.ObjectRef] = deque()
        while True:
            if stop.is_set():
                raise StopRequestedError
            frames = self._next(frames_read)
            if frames is None:
                break
            faces = self._classifier.process.remote(self._finder.process.remote(frames))
            in_flight.append(self._recorder.process.remote(faces, frames))
            del frames, faces
            if len(in_flight) >= queue_batches:
                yield self._get(in_flight.popleft())
        while in_flight:
            yield self._get(in_flight.popleft())

    def _next(self, stream: ray.ObjectRefGenerator) -> ray.ObjectRef | None:
        timeout_s = self._settings.executor.stall_timeout_s
        ready, _ = ray.wait([stream], timeout=timeout_s, fetch_local=False)
        if not ready:
            raise StalledError(f"no frame was read for {timeout_s:g} s")
        return next(stream, None)

    def _get(self, refs: Any) -> Any:
        timeout_s = self._settings.executor.stall_timeout_s
        try:
            return ray.get(refs, timeout=timeout_s)
        except ray.exceptions.GetTimeoutError:
            raise StalledError(f"no progress for {timeout_s:g} s") from None
        except ray.exceptions.RayTaskError as error:
            raise error.cause or error from None

    def _finish_early(self, reason: str) -> Summary | None:
        try:
            return self._get(self._recorder.finish.remote(reason))
        except Exception as error:
            logging.getLogger(__name__).debug("the recorder could not finish", exc_info=error)
            return None

    def _start_actors(self) -> None:
        self._reader = _start_actor(ReaderActor, self._settings)
        self._finder = _start_actor(FinderActor, self._settings)
        self._recorder = _start_actor(RecorderActor, self._settings, self._provenance)

    def _restart_actors(self) -> None:
        for actor in (self._reader, self._finder, self._recorder):
            ray.kill(actor)
        self._start_actors()


def run(
    jobs: Sequence[Job],
    settings: Settings,
    provenance: Provenance,
    reporter: Reporter,
    stop: Event,
    verbose: bool = False,
) -> dict[Job, Summary]:
    """Analyse the videos, several side by side; one that fails does not stop the others.

    Args:
        stop: once set, the videos under way are completed as far as they came, and no other begun.
        verbose: show what Ray says.

    Raises:
        UsageError: the cluster that the settings name cannot be joined.
        EmotionTimelinesError: Ray or the classifier cannot be started.
    """
    lanes = min(len(jobs), settings.executor.lanes or max(2, (os.cpu_count() or 1) // 2))
    _start_ray(settings, lanes, verbose)
    try:
        return _run_lanes(jobs, settings, provenance, reporter, stop, lanes)
    finally:
        ray.shutdown()


class StreamWorker:
    """A live stream in an actor of its own; satisfies ``pipeline.supervisor.Worker``."""

    def __init__(self, stream: Stream, provenance: Provenance) -> None:
        self._actor = _start_actor(
            LiveStream, stream, provenance, max_concurrency=THREADS_OF_A_STREAM
        )
        self._result = self._actor.run.remote()
        self._status = StreamStatus(stream.name, stream.source, "connecting")
        self._asked_s = monotonic()
        self._answer = self._actor.status.remote()

    def status(self) -> StreamStatus:
        """The last answer; never waits, as an actor that starts or hangs does not answer."""
        now_s = monotonic()
        if not ray.wait([self._answer], timeout=0)[0]:
            return replace(self._status, idle_s=max(self._status.idle_s, now_s - self._asked_s))
        self._status = _got(self._answer)
        self._asked_s, self._answer = now_s, self._actor.status.remote()
        return self._status

    def picture(self) -> bytes | None:
        return _got(self._actor.picture.remote())

    def recent(self, since_s: float) -> list[dict[str, Any]]:
        return _got(self._actor.recent.remote(since_s))

    def stop(self) -> None:
        self._actor.stop.remote()

    def result(self) -> Summary | None:
        return _got(self._result) if ray.wait([self._result], timeout=0)[0] else None

    def kill(self) -> None:
        ray.kill(self._actor)


def _got(answer: ray.ObjectRef) -> Any:
    """An answer of a live stream's actor.

    Raises:
        EmotionTimelinesError: it died, or does not answer.
    """
    try:
        return ray.get(answer, timeout=ANSWER_TIMEOUT_S)
    except Exception as error:
        raise EmotionTimelinesError(_reason(error)) from error


@contextmanager
def stream_workers(
    settings: Settings, verbose: bool
) -> Iterator[Callable[[Stream, Provenance], StreamWorker]]:
    """Ray, running, and what starts a stream on it.

    Raises:
        UsageError: the cluster that the settings name cannot be joined.
        EmotionTimelinesError: Ray cannot be started.
    """
    _start_ray(settings, 0, verbose)
    try:
        yield StreamWorker
    finally:
        ray.shutdown()


def _start_actor(stage: type, *arguments: Any, **options: Any) -> Any:
    """An actor of that class, with no claim on CPUs: its threads are set by the settings."""
    return ray.remote(num_cpus=0, **options)(stage).remote(*arguments)


def _reason(error: Exception) -> str:
    if isinstance(error, ray.exceptions.ActorDiedError | ray.exceptions.ActorUnavailableError):
        return "a stage of the pipeline died, perhaps for lack of memory"
    return explain(error)


def _start_ray(settings: Settings, lanes: int, verbose: bool) -> None:
    batches_alive = lanes * (2 * settings.executor.queue_batches + 2)
    memory_mb = max(MIN_OBJECT_STORE_MB, batches_alive * settings.read.batch_mb)
    level = logging.INFO if verbose else logging.CRITICAL
    local: dict[str, Any] = {"include_dashboard": False, "object_store_memory": memory_mb * 2**20}
    address = settings.executor.address
    if address:
        _check_reachable(address)
    logging.getLogger("ray").setLevel(level)
    on_terminate = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address or "local",
            log_to_driver=verbose,
            logging_level=level,
            configure_logging=verbose,
            **({} if address else local),
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        if address:
            raise UsageError(
                f"executor.address: {address}: the cluster cannot be joined: {error}; "
                "if it was started with tokens, set RAY_AUTH_MODE=token"
            ) from error
        raise EmotionTimelinesError(
            f"Ray cannot start on this machine: {error}; try --executor local"
        ) from error
    # Ray's own handler would leave at once, with files half-written.
    signal.signal(signal.SIGTERM, on_terminate)


def _check_reachable(address: str) -> None:
    """Ray itself would wait for ever for a cluster that is not there."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return  # "auto", which Ray looks up on this machine.
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"executor.address: {address}: no Ray cluster answers there: {reason}"
        ) from error


def _run_lanes(
    jobs: Sequence[Job],
    settings: Settings,
    provenance: Provenance,
    reporter: Reporter,
    stop: Event,
    lanes: int,
) -> dict[Job, Summary]:
    classifier = _start_actor(ClassifierActor, settings, max_restarts=-1)
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    summaries: dict[Job, Summary] = {}

    def work() -> None:
        lane = Lane(classifier, settings, provenance)
        while not stop.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            summaries[job] = lane.analyse(job, reporter, stop)
            reporter.finished(job, summaries[job])

    pool = ThreadPoolExecutor(lanes, thread_name_prefix="lane")
    try:
        working = {pool.submit(work) for _ in range(lanes)}
        while working:
            # Waiting in short steps lets this thread hear signals.
            done, working = wait_for(working, timeout=POLL_S)
            for future in done:
                future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return {job: summaries[job] for job in jobs if job in summaries}
