"""Run live streams on Ray, an actor each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

import ray

from configs.errors import EmotionTimelinesError, RayLostError
from configs.schema import Settings
from pipeline.live.stream import LiveStream, StreamStatus
from pipeline.results.summary import Provenance, Summary
from pipeline.run.ray_cluster import reason_of_failure, start_actor
from pipeline.run.ray_start import RayMonitor, ray_running
from pipeline.sources import Stream

ANSWER_TIMEOUT_S = 10
"""For an answer of a stream's actor."""

KILL_TIMEOUT_S = 5
"""For an actor to be gone, so that it writes no more."""

THREADS_PER_STREAM = 8
"""One runs the stream, the others answer calls."""


class RayWorker:
    """Runs a stream in an actor of its own; satisfies ``pipeline.live.workers.Worker``."""

    def __init__(self, monitor: RayMonitor, stream: Stream, provenance: Provenance) -> None:
        self._monitor = monitor
        self._check_ray()
        self._actor = start_actor(
            LiveStream, stream, provenance, max_concurrency=THREADS_PER_STREAM
        )
        self._result = self._actor.run.remote()
        self._status = StreamStatus(stream.name, stream.source, "connecting")
        self._asked_s = monotonic()
        self._pending = self._actor.status.remote()

    def status(self) -> StreamStatus:
        """The last status received; never blocks, though a hanging actor does not answer."""
        now_s = monotonic()
        self._check_ray()
        if not ray.wait([self._pending], timeout=0)[0]:
            return replace(self._status, idle_s=max(self._status.idle_s, now_s - self._asked_s))
        self._status = _answer(self._pending)
        self._asked_s, self._pending = now_s, self._actor.status.remote()
        return self._status

    def picture(self, width_px: int | None) -> bytes | None:
        self._check_ray()
        return _answer(self._actor.picture.remote(width_px))

    def face(self, track: int) -> bytes | None:
        self._check_ray()
        return _answer(self._actor.face.remote(track))

    def recent(self, since_s: float) -> dict[str, Any]:
        self._check_ray()
        return _answer(self._actor.recent.remote(since_s))

    def stop(self) -> None:
        self._check_ray()
        self._actor.stop.remote()

    def result(self) -> Summary | None:
        self._check_ray()
        return _answer(self._result) if ray.wait([self._result], timeout=0)[0] else None

    def kill(self) -> None:
        self._check_ray()
        ray.kill(self._actor)
        ray.wait([self._result], timeout=KILL_TIMEOUT_S)

    def _check_ray(self) -> None:
        if self._monitor.has_died():
            raise RayLostError


def _answer(answer: ray.ObjectRef) -> Any:
    """Wait for the answer of an actor.

    Raises:
        EmotionTimelinesError: it died, or did not answer in time.
    """
    try:
        return ray.get(answer, timeout=ANSWER_TIMEOUT_S)
    except Exception as error:
        raise EmotionTimelinesError(reason_of_failure(error)) from error


@contextmanager
def stream_workers(
    settings: Settings, verbose: bool
) -> Iterator[Callable[[Stream, Provenance], RayWorker]]:
    """Start Ray, and give what starts a stream on it.

    Raises:
        UsageError: the cluster named in the settings cannot be joined.
        EmotionTimelinesError: Ray cannot be started.
    """
    with ray_running(settings, 0, verbose) as monitor:
        yield partial(RayWorker, monitor)
