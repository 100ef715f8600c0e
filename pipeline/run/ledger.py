"""What of a batch is done already, and the record of the whole: a run can be repeated at any time.

The summary in each video's folder is its record in the manifest: it is written last, in one step,
and says what was analysed and by what. So there is nothing besides the results that could
contradict them, and a run can be killed at any moment and repeated: what has a summary is done.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, Literal

import filelock

from configs.errors import OutputError, UsageError
from pipeline.results.export import export_names
from pipeline.results.index import write_index
from pipeline.results.summary import Provenance, Summary, read_summary
from pipeline.run.reporter import Reporter
from pipeline.sources import Job
from stages.batch import VideoInfo
from stages.write.files import output_errors_name, write_whole

LOCK, RECORD = ".lock", "batch.json"
RECORD_INTERVAL_S = 5.0

NOT_DONE_YET, FAILED_BEFORE = "not done yet", "failed before"

Redo = Literal["what is missing", "everything", "what failed"]


@contextmanager
def only_run_in(out: Path) -> Iterator[None]:
    """Make the output folder, and keep other runs out of it.

    Raises:
        UsageError: another run is at work in it.
        OutputError: it cannot be made or written to.
    """
    with output_errors_name(out):
        out.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(out / LOCK, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise UsageError(
                f"{out}: another run is writing there; wait for it, or choose another folder "
                "with -o"
            ) from None
    try:
        yield
    finally:
        lock.release()


def split(
    jobs: Sequence[Job], provenance: Provenance, redo: Redo
) -> tuple[list[Job], dict[Job, Summary], Counter[str]]:
    """Which videos are to be analysed, and which are done.

    Args:
        jobs: all videos of the batch.
        provenance: what this run would make results with.
        redo: videos whose results are there, complete and made in the same way are left alone, or
            all are done again, or only those that failed.

    Returns:
        The videos to analyse, the longest files first, so that none is left alone at the end; the
        summaries of the others that have any; and how many are to be done for which reason.
    """
    records = {job: read_summary(job.folder) for job in jobs}
    reasons = {job: reason_to_do(job, records[job], provenance) for job in jobs}
    if redo == "everything":
        todo = list(jobs)
    elif redo == "what failed":
        todo = [job for job in jobs if reasons[job] == FAILED_BEFORE]
    else:
        todo = [job for job in jobs if reasons[job]]
    kept = {job: record[0] for job, record in records.items() if record is not None}
    for job in todo:
        kept.pop(job, None)
    counts = Counter(reasons[job] or "asked for" for job in todo)
    return sorted(todo, key=_bytes, reverse=True), kept, counts


def reason_to_do(
    job: Job, record: tuple[Summary, Provenance] | None, provenance: Provenance
) -> str | None:
    """Why a video has to be analysed; None if what is there is what this run would make."""
    if record is None:
        return NOT_DONE_YET
    summary, made_by = record
    if summary.status == "failed":
        return FAILED_BEFORE
    if summary.input != job.identity():
        return "another or a changed video"
    if made_by.decisive() != provenance.decisive():
        return "other settings or another model"
    if summary.interrupted:
        return "interrupted"
    wanted = {*summary.files, *export_names(provenance.settings["export"]["formats"])}
    missing = [name for name in wanted if not (job.folder / name).exists()]
    return "results are missing" if missing else None


class Ledger:
    """``batch.json`` and ``index.html``: how a run's videos are doing, renewed every few seconds.

    Args:
        out: the run's output folder.
        jobs: all its videos.
        kept: summaries of those that were done before.
    """

    def __init__(
        self, out: Path, jobs: Sequence[Job], kept: Mapping[Job, Summary], provenance: Provenance
    ) -> None:
        self._out, self._jobs, self._provenance = out, jobs, provenance
        self.summaries = dict(kept)
        self._kept = set(kept)
        self._lock = Lock()
        self._started_s = self._written_s = monotonic()
        self.write()

    def add(self, job: Job, summary: Summary) -> None:
        """Take note of a video that is done; a full disk is no reason to stop.

        May be called from several threads.
        """
        with self._lock:
            self.summaries[job] = summary
            if monotonic() - self._written_s >= RECORD_INTERVAL_S:
                with suppress(OutputError):
                    self.write()

    def write(self) -> None:
        """Write the file, and the page that shows the same.

        Raises:
            OutputError: it cannot be written.
        """
        self._written_s = monotonic()
        counts = Counter(summary.status for summary in self.summaries.values())
        record = {
            "videos": len(self._jobs),
            **{status: counts[status] for status in ("complete", "partial", "failed")},
            "waiting": len(self._jobs) - len(self.summaries),
            "done_before": len(self._kept),
            "seconds": round(monotonic() - self._started_s, 1),
            **asdict(self._provenance),
            "results": [self._result(job) for job in self._jobs],
        }
        text = json.dumps(record, indent=2, ensure_ascii=False)
        write_whole(self._out / RECORD, text + "\n")
        write_index(self._out, [(job, self.summaries.get(job)) for job in self._jobs])

    def _result(self, job: Job) -> dict[str, Any]:
        place = {"source": str(job.source), "folder": str(job.folder.relative_to(self._out))}
        summary = self.summaries.get(job)
        if summary is None:
            return {**place, "status": "waiting"}
        names = ("status", "reason", "frames", "duration_s", "faces", "tracks")
        return {**place, **{name: getattr(summary, name) for name in names}}


class LedgerReporter(Reporter):
    """Also keeps ``batch.json`` up to date."""

    def __init__(self, reporter: Reporter, ledger: Ledger) -> None:
        self._reporter, self._ledger = reporter, ledger

    def started(self, job: Job, info: VideoInfo) -> None:
        self._reporter.started(job, info)

    def advanced(self, job: Job, frames: int) -> None:
        self._reporter.advanced(job, frames)

    def warned(self, warning: str) -> None:
        self._reporter.warned(warning)

    def finished(self, job: Job, summary: Summary) -> None:
        self._ledger.add(job, summary)
        self._reporter.finished(job, summary)


def _bytes(job: Job) -> int:
    identity = job.identity()
    return identity["bytes"] if identity else 0
