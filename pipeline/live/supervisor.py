"""Supervise live streams: start, monitor, restart and stop their workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock
from time import monotonic, sleep
from typing import Any

from configs.errors import EmotionTimelinesError, UsageError
from pipeline.live.stream import StreamStatus
from pipeline.live.workers import Worker
from pipeline.results.folder import save_what_is_there
from pipeline.results.summary import Provenance, Summary
from pipeline.sources import Stream, unused_folder

POLL_S = 0.5
STOP_TIMEOUT_S = 30.0
FIRST_RESTART_WAIT_S, MAX_RESTART_WAIT_S = 1.0, 60.0


@dataclass
class _Entry:
    """A stream with its current worker, if it has one."""

    stream: Stream
    worker: Worker | None
    status: StreamStatus
    summary: Summary | None = None
    stopped_by_user: bool = False
    restart_wait_s: float = FIRST_RESTART_WAIT_S
    restart_at_s: float = 0.0

    @property
    def ended(self) -> bool:
        return self.worker is None and not self.restart_at_s and not self.stopped_by_user


class Supervisor:
    """Runs live streams independently: one that fails, stalls or stops does not disturb the others.

    A worker that dies, or makes no progress for ``executor.stall_timeout_s``, is replaced with
    exponential backoff; the new one writes to a folder of its own.

    Args:
        streams: with different names.
        provenance: for their summaries.
        start_worker: starts the analysis of a stream.
        say: called with a line of text when a state changes.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        provenance: Provenance,
        start_worker: Callable[[Stream, Provenance], Worker],
        say: Callable[[str], None],
    ) -> None:
        self._provenance, self._start_worker, self._say = provenance, start_worker, say
        self._lock = Lock()
        self._results: list[tuple[Stream, Summary]] = []
        self._entries = {
            stream.name: _Entry(
                stream,
                start_worker(stream, provenance),
                StreamStatus(stream.name, stream.source, "connecting"),
            )
            for stream in streams
        }

    def run(self, stop: Event) -> list[tuple[Stream, Summary]]:
        """Supervise until all streams end or ``stop`` is set; returns a summary per recording."""
        while not stop.is_set() and not all(each.ended for each in self._entries.values()):
            for entry in self._entries.values():
                with self._lock:
                    self._check(entry)
            stop.wait(POLL_S)
        self._stop_all()
        return self._results

    def statuses(self) -> list[StreamStatus]:
        """The latest status of each stream."""
        return [entry.status for entry in self._entries.values()]

    def picture(self, name: str) -> bytes | None:
        """The newest annotated frame as JPEG; None if there is none.

        Raises:
            UsageError: there is no such stream; so do the methods below.
            EmotionTimelinesError: its worker died.
        """
        worker = self._named(name).worker
        return worker.picture() if worker else None

    def recent(self, name: str, since_s: float) -> list[dict[str, Any]]:
        """As ``LiveStream.recent``."""
        worker = self._named(name).worker
        return worker.recent(since_s) if worker else []

    def stop(self, name: str) -> None:
        """Complete the recording of a stream."""
        entry = self._named(name)
        with self._lock:
            entry.stopped_by_user, entry.restart_at_s = True, 0.0
            if entry.worker is not None:
                entry.worker.stop()

    def start(self, name: str) -> None:
        """Begin a new recording of a stream that was stopped or ended."""
        entry = self._named(name)
        with self._lock:
            entry.stopped_by_user = False
            if entry.worker is None:
                self._begin(entry)

    def _named(self, name: str) -> _Entry:
        if name not in self._entries:
            raise UsageError(f"{name}: no such stream")
        return self._entries[name]

    def _check(self, entry: _Entry) -> None:
        if entry.worker is None:
            if entry.restart_at_s and monotonic() >= entry.restart_at_s:
                self._begin(entry)
            return
        try:
            summary = entry.worker.result()
            before, entry.status = entry.status, entry.worker.status()
            timeout_s = entry.stream.settings.executor.stall_timeout_s
            if summary is None and entry.status.idle_s > timeout_s:
                raise EmotionTimelinesError(f"no progress for {timeout_s:g} s")
        except EmotionTimelinesError as error:
            self._replace(entry, str(error))
            return
        if summary is not None:
            self._end(entry, summary)
        elif (before.state, before.reason) != (entry.status.state, entry.status.reason):
            self._report(entry.status)

    def _report(self, status: StreamStatus) -> None:
        reason = f": {status.reason}" if status.reason else ""
        self._say(f"{status.name}: {status.state}{reason}")

    def _begin(self, entry: _Entry) -> None:
        stream = entry.stream
        folder = unused_folder(stream.folder.with_name(stream.name))
        entry.stream = replace(stream, folder=folder)
        entry.restart_at_s = 0.0
        entry.status = StreamStatus(entry.stream.name, entry.stream.source, "connecting")
        entry.worker = self._start_worker(entry.stream, self._provenance)

    def _end(self, entry: _Entry, summary: Summary) -> None:
        self._results.append((entry.stream, summary))
        entry.worker = None
        entry.status = replace(entry.status, state="ended", reason=summary.reason)
        self._report(entry.status)

    def _replace(self, entry: _Entry, reason: str) -> None:
        assert entry.worker is not None
        entry.worker.kill()
        self._end(entry, save_what_is_there(entry.stream, reason, self._provenance))
        entry.restart_at_s = monotonic() + entry.restart_wait_s
        entry.restart_wait_s = min(entry.restart_wait_s * 2, MAX_RESTART_WAIT_S)

    def _stop_all(self) -> None:
        """Let every worker complete its files; kill those that do not in time."""
        for entry in self._running():
            entry.stopped_by_user = True
            try:
                entry.worker.stop()
            except EmotionTimelinesError:
                continue
        deadline_s = monotonic() + STOP_TIMEOUT_S
        while any(self._running()):
            for entry in self._running():
                try:
                    summary = entry.worker.result()
                except EmotionTimelinesError as error:
                    summary = save_what_is_there(entry.stream, str(error), self._provenance)
                if summary is None and monotonic() > deadline_s:
                    entry.worker.kill()
                    reason = "it could not be completed in time"
                    summary = save_what_is_there(entry.stream, reason, self._provenance)
                if summary is not None:
                    self._end(entry, summary)
            sleep(POLL_S / 5)

    def _running(self) -> Iterator[Any]:
        return (entry for entry in self._entries.values() if entry.worker is not None)
