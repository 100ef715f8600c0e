"""Keep live streams running side by side: start, watch, start anew, stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock
from time import monotonic, sleep
from typing import Any

from configs.errors import EmotionTimelinesError, UsageError
from pipeline.live.stream import StreamStatus
from pipeline.live.workers import Worker
from pipeline.results.folder import save_lost_stream
from pipeline.results.summary import Provenance, Summary
from pipeline.sources import Stream, unused_folder

POLL_S = 0.5
FINISH_TIMEOUT_S = 30.0
FIRST_RESTART_WAIT_S, LONGEST_RESTART_WAIT_S = 1.0, 60.0


@dataclass
class _Watched:
    """A stream, its present worker and what is known of it."""

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
    """Runs live streams; one that fails, stalls or is stopped leaves the others alone.

    A worker that dies or does not move for ``executor.stall_timeout_s`` is replaced, after a wait
    that grows; the new one records into a folder of its own.

    Args:
        streams: each under its name.
        provenance: goes into their summaries.
        start_worker: begins the work on a stream.
        say: is told what happens, a line each.
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
        self._watched = {
            stream.name: _Watched(
                stream,
                start_worker(stream, provenance),
                StreamStatus(stream.name, stream.source, "connecting"),
            )
            for stream in streams
        }

    def run(self, stop: Event) -> list[tuple[Stream, Summary]]:
        """Until all streams ended, or ``stop`` is set; what came of each recording."""
        while not stop.is_set() and not all(each.ended for each in self._watched.values()):
            for watched in self._watched.values():
                with self._lock:
                    self._attend(watched)
            stop.wait(POLL_S)
        self._finish()
        return self._results

    def statuses(self) -> list[StreamStatus]:
        """How all streams are doing, as of the last look."""
        return [watched.status for watched in self._watched.values()]

    def picture(self, name: str) -> bytes | None:
        """The newest annotated frame as JPEG; None if there is none.

        Raises:
            UsageError: there is no such stream. Likewise below.
            EmotionTimelinesError: its worker died.
        """
        worker = self._named(name).worker
        return worker.picture() if worker else None

    def recent(self, name: str, since_s: float) -> list[dict[str, Any]]:
        """As ``LiveStream.recent``."""
        worker = self._named(name).worker
        return worker.recent(since_s) if worker else []

    def stop(self, name: str) -> None:
        """Complete the recording of one stream; ``start`` begins another."""
        watched = self._named(name)
        with self._lock:
            watched.stopped_by_user, watched.restart_at_s = True, 0.0
            if watched.worker is not None:
                watched.worker.stop()

    def start(self, name: str) -> None:
        """Begin a new recording of a stream that was stopped or ended."""
        watched = self._named(name)
        with self._lock:
            watched.stopped_by_user = False
            if watched.worker is None:
                self._begin(watched)

    def _named(self, name: str) -> _Watched:
        if name not in self._watched:
            raise UsageError(f"{name}: no such stream")
        return self._watched[name]

    def _attend(self, watched: _Watched) -> None:
        if watched.worker is None:
            if watched.restart_at_s and monotonic() >= watched.restart_at_s:
                self._begin(watched)
            return
        try:
            summary = watched.worker.result()
            before, watched.status = watched.status, watched.worker.status()
            timeout_s = watched.stream.settings.executor.stall_timeout_s
            if summary is None and watched.status.idle_s > timeout_s:
                raise EmotionTimelinesError(f"no progress for {timeout_s:g} s")
        except EmotionTimelinesError as error:
            self._replace(watched, str(error))
            return
        if summary is not None:
            self._end(watched, summary)
        elif (before.state, before.reason) != (watched.status.state, watched.status.reason):
            self._tell(watched.status)

    def _tell(self, status: StreamStatus) -> None:
        reason = f": {status.reason}" if status.reason else ""
        self._say(f"{status.name}: {status.state}{reason}")

    def _begin(self, watched: _Watched) -> None:
        stream = watched.stream
        folder = unused_folder(stream.folder.with_name(stream.name))
        watched.stream = replace(stream, folder=folder)
        watched.restart_at_s = 0.0
        watched.status = StreamStatus(watched.stream.name, watched.stream.source, "connecting")
        watched.worker = self._start_worker(watched.stream, self._provenance)

    def _end(self, watched: _Watched, summary: Summary) -> None:
        self._results.append((watched.stream, summary))
        watched.worker = None
        watched.status = replace(watched.status, state="ended", reason=summary.reason)
        self._tell(watched.status)

    def _replace(self, watched: _Watched, reason: str) -> None:
        assert watched.worker is not None
        watched.worker.kill()
        self._end(watched, save_lost_stream(watched.stream, reason, self._provenance))
        watched.restart_at_s = monotonic() + watched.restart_wait_s
        watched.restart_wait_s = min(watched.restart_wait_s * 2, LONGEST_RESTART_WAIT_S)

    def _finish(self) -> None:
        """Let every worker complete its files; one that does not is ended."""
        for watched in self._at_work():
            watched.stopped_by_user = True
            try:
                watched.worker.stop()
            except EmotionTimelinesError:
                continue
        deadline_s = monotonic() + FINISH_TIMEOUT_S
        while any(self._at_work()):
            for watched in self._at_work():
                try:
                    summary = watched.worker.result()
                except EmotionTimelinesError as error:
                    summary = save_lost_stream(watched.stream, str(error), self._provenance)
                if summary is None and monotonic() > deadline_s:
                    watched.worker.kill()
                    reason = "it could not be completed in time"
                    summary = save_lost_stream(watched.stream, reason, self._provenance)
                if summary is not None:
                    self._end(watched, summary)
            sleep(POLL_S / 5)

    def _at_work(self) -> Iterator[Any]:
        return (watched for watched in self._watched.values() if watched.worker is not None)
