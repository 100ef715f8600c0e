"""Supervise live streams: start, monitor, restart and stop their workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Lock
from time import monotonic, sleep

from configs.errors import EmotionTimelinesError, RayLostError, UsageError, explain
from pipeline.live.stream import StreamStatus
from pipeline.live.workers import Worker
from pipeline.result_folders import SUMMARY, TABLE, take_folder
from pipeline.results.ending import end_without_recorder
from pipeline.results.summary import Provenance, Summary
from pipeline.sources import Stream
from stages.read.live import backoff

POLL_S = 0.5
STOP_TIMEOUT_S = 120.0
"""For all workers to complete their files: days of several streams take a minute."""

FIRST_RESTART_WAIT_S, MAX_RESTART_WAIT_S = 1.0, 60.0


def _waits_s() -> Iterator[float]:
    return backoff(FIRST_RESTART_WAIT_S, MAX_RESTART_WAIT_S)


@dataclass
class _Entry:
    """A stream with its current worker, if it has one.

    Attributes:
        wished: its folder, without a number.
        unused: the folder of its last recording, where nothing was recorded.
        began_s: when its worker was started.
        over_s: when ``live.duration_s`` is over, whatever happened meanwhile; None: never.
        first: its recording is the first within that time, and ends by itself.
        stopped_by_user: since it was started.
        start_again: as soon as its worker, which was asked to stop, has done so.
        restart_at_s: when a new worker is due after one that died; None: never.
    """

    stream: Stream
    wished: Path
    status: StreamStatus
    worker: Worker | None = None
    unused: Path | None = None
    began_s: float = 0.0
    over_s: float | None = None
    first: bool = True
    stopped_by_user: bool = False
    start_again: bool = False
    waits_s: Iterator[float] = field(default_factory=_waits_s)
    restart_at_s: float | None = None

    @property
    def is_over(self) -> bool:
        return self.over_s is not None and monotonic() >= self.over_s

    @property
    def ended(self) -> bool:
        """Whether nothing is to be expected of it, unless the user starts it."""
        if self.worker is not None or self.restart_at_s is not None:
            return False
        if not self.stopped_by_user:
            return True
        limits = self.stream.settings.live
        return self.is_over if limits.duration_s else bool(limits.frames)


class Supervisor:
    """Runs live streams independently: one that fails, stalls or stops does not disturb the others.

    A worker that dies, or makes no progress for ``executor.stall_timeout_s``, is replaced with
    exponential backoff. Each recording has a folder of its own.

    Args:
        streams: with different names.
        provenance: for their summaries.
        start_worker: starts the analysis of a stream.
        say: called with a line of text when a state changes.

    Attributes:
        results: a summary for each recording that has ended.
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
        self._closing = False
        self.results: list[tuple[Stream, Summary]] = []
        self._entries = {
            stream.name: _Entry(stream, stream.folder, _connecting(stream)) for stream in streams
        }
        for entry in self._entries.values():
            self._start(entry)

    def run(self, stop: Event) -> list[tuple[Stream, Summary]]:
        """Supervise until all streams end or ``stop`` is set; returns a summary per recording.

        Raises:
            RayLostError: Ray itself died; once its processes are gone, call ``save_recordings``.
        """
        while not stop.is_set() and not all(each.ended for each in self._entries.values()):
            for entry in self._entries.values():
                with self._lock:
                    self._check(entry)
            stop.wait(POLL_S)
        self._stop_all()
        return self.results

    def save_recordings(self, reason: str) -> list[tuple[Stream, Summary]]:
        """Complete the recordings of workers that are no more; returns all summaries.

        Args:
            reason: why they ended, in words.
        """
        for entry, _ in self._running():
            self._end(entry, end_without_recorder(entry.stream, reason, self._provenance))
        return self.results

    def statuses(self) -> list[StreamStatus]:
        """The latest status of each stream."""
        return [entry.status for entry in self._entries.values()]

    def worker(self, name: str) -> Worker | None:
        """What runs a stream now; None while it does not run.

        Raises:
            UsageError: there is no such stream; so do the methods below.
        """
        return self._named(name).worker

    def recordings(self, name: str) -> list[tuple[Path, Summary]]:
        """Folder and summary of each recording that has ended, the oldest first."""
        self._named(name)
        return [
            (stream.folder, summary)
            for stream, summary in list(self.results)
            if stream.name == name and TABLE in summary.files
        ]

    def stop(self, name: str) -> None:
        """Complete the recording of a stream."""
        entry = self._named(name)
        with self._lock:
            entry.stopped_by_user, entry.start_again, entry.restart_at_s = True, False, None
            if entry.worker is not None:
                entry.worker.stop()

    def start(self, name: str) -> None:
        """Begin a new recording of a stream that was stopped, is about to stop, or has ended.

        Raises:
            EmotionTimelinesError: the program is about to end.
        """
        entry = self._named(name)
        with self._lock:
            if self._closing:
                raise EmotionTimelinesError("the program is about to end")
            if entry.worker is None:
                self._start(entry)
            else:
                entry.start_again = entry.stopped_by_user

    def _named(self, name: str) -> _Entry:
        if name not in self._entries:
            raise UsageError(f"{name}: no such stream")
        return self._entries[name]

    def _check(self, entry: _Entry) -> None:
        if entry.worker is None:
            if entry.restart_at_s is not None and entry.is_over:
                entry.restart_at_s = None
            elif entry.restart_at_s is not None and monotonic() >= entry.restart_at_s:
                self._begin(entry, first=False)
            return
        try:
            summary = entry.worker.result()
            if summary is None:
                self._watch(entry, entry.worker)
        except RayLostError:
            raise
        except Exception as error:
            self._replace(entry, entry.worker, explain(error))
            return
        if summary is not None:
            self._end(entry, summary)

    def _watch(self, entry: _Entry, worker: Worker) -> None:
        """Raises an error if there is no progress."""
        before, entry.status = entry.status, worker.status()
        timeout_s = entry.stream.settings.executor.stall_timeout_s
        if entry.status.idle_s > timeout_s:
            raise EmotionTimelinesError(f"no progress for {timeout_s:g} s")
        if (before.state, before.reason) != (entry.status.state, entry.status.reason):
            self._report(entry.status)
        if entry.is_over and not entry.first:
            worker.stop()

    def _report(self, status: StreamStatus) -> None:
        reason = f": {status.reason}" if status.reason else ""
        self._say(f"{status.name}: {status.state}{reason}")

    def _start(self, entry: _Entry) -> None:
        """Begin as the user asks; what is left of the duration counts, or all of it again."""
        first = entry.over_s is None or entry.is_over
        duration_s = entry.stream.settings.live.duration_s
        if first and duration_s:
            entry.over_s = monotonic() + duration_s
        self._begin(entry, first)

    def _begin(self, entry: _Entry, first: bool) -> None:
        entry.first, entry.began_s = first, monotonic()
        entry.stopped_by_user, entry.start_again, entry.restart_at_s = False, False, None
        try:
            folder = entry.unused = self._folder_for(entry)
            entry.stream = replace(entry.stream, folder=folder)
            entry.worker = self._start_worker(entry.stream, self._provenance)
            entry.status = _connecting(entry.stream)
        except RayLostError:
            raise
        except Exception as error:  # Such as a full disk: it may be better in a while.
            entry.status = replace(entry.status, state="ended", reason=explain(error))
            self._report(entry.status)
            self._restart_later(entry)

    def _folder_for(self, entry: _Entry) -> Path:
        """The folder of its last recording if nothing was recorded there, or another one."""
        unused = entry.unused
        if unused is None or not unused.is_dir():
            return take_folder(entry.wished)
        (unused / SUMMARY).unlink(missing_ok=True)
        self.results = [result for result in self.results if result[0].folder != unused]
        return unused

    def _end(self, entry: _Entry, summary: Summary) -> None:
        self.results.append((entry.stream, summary))
        entry.worker = None
        recorded = summary.status != "failed" or set(summary.files) - {SUMMARY}
        entry.unused = None if recorded else entry.stream.folder
        entry.status = replace(entry.status, state="ended", reason=summary.reason)
        self._report(entry.status)
        if entry.start_again:
            self._start(entry)

    def _replace(self, entry: _Entry, worker: Worker, reason: str) -> None:
        worker.kill()
        self._end(entry, end_without_recorder(entry.stream, reason, self._provenance))
        if entry.worker is None and not entry.stopped_by_user:
            self._restart_later(entry)

    def _restart_later(self, entry: _Entry) -> None:
        if monotonic() - entry.began_s > MAX_RESTART_WAIT_S:
            entry.waits_s = _waits_s()
        entry.restart_at_s = monotonic() + next(entry.waits_s)

    def _stop_all(self) -> None:
        """Let every worker complete its files; kill those that do not in time."""
        with self._lock:
            self._closing = True
            for entry, worker in self._running():
                entry.stopped_by_user, entry.start_again = True, False
                with suppress(EmotionTimelinesError):  # It died, as is noticed below.
                    worker.stop()
        deadline_s = monotonic() + STOP_TIMEOUT_S
        while running := self._running():
            for entry, worker in running:
                with self._lock:
                    self._await(entry, worker, late=monotonic() > deadline_s)
            sleep(POLL_S / 5)

    def _await(self, entry: _Entry, worker: Worker, late: bool) -> None:
        """End a stream whose worker has completed its files, or can or may no longer do so."""
        try:
            summary = worker.result()
            if summary is None and late:
                worker.kill()
                raise EmotionTimelinesError("it could not be completed in time")
        except RayLostError:
            raise
        except Exception as error:
            summary = end_without_recorder(entry.stream, explain(error), self._provenance)
        if summary is not None:
            self._end(entry, summary)

    def _running(self) -> list[tuple[_Entry, Worker]]:
        entries = self._entries.values()
        return [(entry, entry.worker) for entry in entries if entry.worker is not None]


def _connecting(stream: Stream) -> StreamStatus:
    return StreamStatus(stream.name, stream.source, "connecting")
