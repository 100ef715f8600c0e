"""Where live streams run: in threads of this process, or in Ray's actors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Thread
from typing import Any, Protocol

from configs.schema import Settings
from pipeline.live.stream import LiveStream, StreamStatus
from pipeline.results.summary import Provenance, Summary
from pipeline.sources import Stream


class Worker(Protocol):
    """A ``LiveStream`` at work somewhere; each call answers soon.

    Raises:
        EmotionTimelinesError: by any method, when the worker died.
    """

    def status(self) -> StreamStatus: ...

    def picture(self) -> bytes | None: ...

    def recent(self, since_s: float) -> list[dict[str, Any]]: ...

    def stop(self) -> None: ...

    def result(self) -> Summary | None:
        """What came of it; None while it is at work."""
        ...

    def kill(self) -> None:
        """End it at once, and leave its files as they are."""
        ...


class ThreadWorker:
    """A stream in a thread of this process."""

    def __init__(self, stream: Stream, provenance: Provenance) -> None:
        live = LiveStream(stream, provenance)
        self.status, self.picture, self.recent = live.status, live.picture, live.recent
        self.stop = self.kill = live.stop  # A thread can only be asked.
        self._live = live
        self._summary: Summary | None = None
        Thread(target=self._run, name=stream.name, daemon=True).start()

    def result(self) -> Summary | None:
        return self._summary

    def _run(self) -> None:
        self._summary = self._live.run()


def stream_starter(
    settings: Settings, verbose: bool
) -> AbstractContextManager[Callable[[Stream, Provenance], Worker]]:
    """What starts live streams with the executor that the settings name."""
    if settings.executor.kind == "local":
        return nullcontext(ThreadWorker)
    from pipeline.live.ray_workers import stream_workers  # Importing Ray takes time.

    return stream_workers(settings, verbose)
