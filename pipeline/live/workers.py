"""Workers run live streams: threads of this process, or Ray's actors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from threading import Thread
from typing import Any, Protocol

from configs.errors import EmotionTimelinesError, explain
from configs.schema import Settings
from pipeline.live.stream import LiveStream, StreamStatus
from pipeline.results.summary import Provenance, Summary
from pipeline.sources import Stream


class Worker(Protocol):
    """A running ``LiveStream``, here or elsewhere. No method blocks for long.

    Raises:
        EmotionTimelinesError: by any method, when the worker died.
        RayLostError: by any method, when all workers died, and no new one can be started.
    """

    def status(self) -> StreamStatus: ...

    def picture(self, width_px: int | None) -> bytes | None: ...

    def face(self, track: int) -> bytes | None: ...

    def recent(self, since_s: float) -> dict[str, Any]: ...

    def stop(self) -> None: ...

    def result(self) -> Summary | None:
        """The summary; None while it runs."""
        ...

    def kill(self) -> None:
        """End it at once, or see to it that it writes no more; its files stay as they are."""
        ...


class ThreadWorker:
    """Runs a stream in a thread of this process."""

    def __init__(self, stream: Stream, provenance: Provenance) -> None:
        live = LiveStream(stream, provenance)
        self.status, self.recent = live.status, live.recent
        self.picture, self.face = live.picture, live.face
        self.stop, self.kill = live.stop, live.give_up  # A thread cannot be killed.
        self._outcome: Future[Summary] = Future()
        Thread(target=self._run, args=(live,), name=stream.name, daemon=True).start()

    def result(self) -> Summary | None:
        if not self._outcome.done():
            return None
        if error := self._outcome.exception():
            raise EmotionTimelinesError(explain(error)) from error
        return self._outcome.result()

    def _run(self, live: LiveStream) -> None:
        try:
            self._outcome.set_result(live.run())
        except BaseException as error:  # However the thread dies, it is reported.
            self._outcome.set_exception(error)


def worker_starter(
    settings: Settings, verbose: bool
) -> AbstractContextManager[Callable[[Stream, Provenance], Worker]]:
    """Gives a function that starts a stream, by the executor named in the settings."""
    if settings.executor.kind == "local":
        return nullcontext(ThreadWorker)
    from pipeline.live.ray_workers import stream_workers  # Ray is slow to import.

    return stream_workers(settings, verbose)
