"""The ledger of a batch: which videos are done, and ``batch.json``.

A video is done if its folder has a summary, which is written last, atomically, with the video's
identity and the provenance of its results. There is no other list that could contradict the
results, so a run can be killed at any time and repeated.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, Literal, Protocol

import filelock

from configs.errors import OutputError, UsageError
from configs.names import as_text
from pipeline.result_folders import LEDGER, REPORT, SUMMARY, TABLE, folders_with_summaries
from pipeline.results.exports.writers import export_names
from pipeline.results.folder import FILM
from pipeline.results.index import write_index
from pipeline.results.person import Names
from pipeline.results.summary import Provenance, Summary, read_summary, write_schema
from pipeline.run.executor import Reporter
from pipeline.sources import Job
from stages.batch import VideoInfo
from stages.write.files import output_errors_name, write_atomically

LOCK = ".lock"
WRITE_INTERVAL_S = 5.0

NOT_DONE_YET, FAILED_BEFORE = "not done yet", "failed before"
TABLE_SERVES = "other segments or exports, made of the table that is there"

PICTURES = {*export_names(("png", "svg"))}
"""Files that depend on the settings of pictures."""

Redo = Literal["what is missing", "everything", "what failed"]


@contextmanager
def only_run_in(out: Path) -> Iterator[None]:
    """Make the output folder and lock it against other runs.

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
                f"{out}: another run is writing there; wait for it, or choose another output folder"
            ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows does not delete what is open.
            (out / LOCK).unlink()
        lock.release()


@dataclass(frozen=True)
class Split:
    """A batch, split into what is to do and what is done.

    Attributes:
        todo: videos without the results of this run, the largest files first, so that no long one
            is left at the end.
        renewable: those of them whose table serves, so that only what is made of it is made again;
            with what ``read_summary`` returns for them.
        reasons: how many of ``todo`` for which reason.
        kept: summaries of the other videos, where they have one.
        other_versions: how many of these were made by which other version of the program.
    """

    todo: list[Job]
    renewable: dict[Job, tuple[Summary, Provenance]]
    reasons: Counter[str]
    kept: dict[Job, Summary]
    other_versions: Counter[str]


def split(jobs: Sequence[Job], provenance: Provenance, redo: Redo) -> Split:
    """Split a batch.

    Args:
        jobs: all videos of the batch.
        provenance: of this run.
        redo: do what is missing, changed or failed; or everything; or only what failed.
    """
    found = {job: read_summary(job.folder) for job in jobs}
    reasons = {job: reason_to_do(job, found[job], provenance) for job in jobs}
    if redo == "everything":
        todo = list(jobs)
    elif redo == "what failed":
        todo = [job for job in jobs if reasons[job] == FAILED_BEFORE]
    else:
        todo = [job for job in jobs if reasons[job]]
    again = set(todo)
    kept = {job: result for job, result in found.items() if result and job not in again}
    other_versions = Counter(made_by.version for _, made_by in kept.values())
    del other_versions[provenance.version]
    return Split(
        todo=sorted(todo, key=_bytes, reverse=True),
        renewable={
            job: result
            for job, result in found.items()
            if result and job in again and reasons[job] == TABLE_SERVES and redo != "everything"
        },
        reasons=Counter(reasons[job] or "asked for" for job in todo),
        kept={job: summary for job, (summary, _) in kept.items()},
        other_versions=other_versions,
    )


def reason_to_do(
    job: Job, found: tuple[Summary, Provenance] | None, provenance: Provenance
) -> str | None:
    """Why a video has to be analysed; None if its results are what this run would make.

    Args:
        found: what ``read_summary`` returns for its folder.
    """
    if found is None:
        return NOT_DONE_YET
    summary, made_by = found
    if summary.status == "failed":
        return FAILED_BEFORE
    if _content(summary.input or {}) != _content(job.identity()):
        return "another or a changed video"
    if not made_by.agrees_with(provenance):
        return "other settings or another model"
    if summary.interrupted:
        return "interrupted"
    wanted = {*summary.files, *export_names(provenance.settings["export"]["formats"])}
    missing = {name for name in wanted if not (job.folder / name).exists()}
    if missing & {TABLE, FILM, REPORT}:
        return "results are missing"
    sections = ("segments", "picture") if wanted & PICTURES else ("segments",)
    same = all(made_by.shares(section, provenance) for section in sections)
    return None if same and not missing else TABLE_SERVES


class Annotations(Protocol):
    """A user's annotations of the results in an output folder; ``pipeline/study`` keeps them."""

    def with_events(self, jobs: Sequence[Job]) -> list[Job]:
        """Videos with the events in them."""

    def names(self, folder: Path, summary: Summary) -> Names:
        """The names of people in the result in a folder."""

    def prepare(self) -> None:
        """Import what ``write_tables`` needs, which is slow."""

    def write_tables(self) -> None:
        """Write the tables over all results in the output folder.

        Raises:
            OutputError: one cannot be written.
        """


class Ledger:
    """Writes ``batch.json`` and ``index.html``, the state of all videos, every few seconds.

    They also list the results of other runs that are in the output folder.

    Args:
        out: output folder of the run.
        jobs: all videos of the batch.
        kept: summaries of those that were done before.
        annotations: of the results in the folder.

    Attributes:
        summaries: of the videos that are done so far.
    """

    def __init__(
        self,
        out: Path,
        jobs: Sequence[Job],
        kept: Mapping[Job, Summary],
        provenance: Provenance,
        annotations: Annotations,
    ) -> None:
        self._out, self._jobs, self._provenance = out, jobs, provenance
        self._annotations = annotations
        self.summaries = dict(kept)
        self._kept = set(kept)
        own = {job.folder for job in jobs}
        self._others = {
            folder: found[0]
            for folder in folders_with_summaries(out)
            if folder not in own and (found := read_summary(folder))
        }
        self._lock = Lock()
        self._started_s = self._written_s = monotonic()
        write_schema(out)
        self.write()

    def add(self, job: Job, summary: Summary) -> None:
        """Add a video that is done; thread-safe. A full disk does not stop the run."""
        with self._lock:
            self.summaries[job] = summary
        self.renew()

    def renew(self) -> None:
        """Write both files if the last time is some seconds ago; thread-safe."""
        with self._lock:
            if monotonic() - self._written_s >= WRITE_INTERVAL_S:
                with suppress(OutputError):
                    self.write()

    def write(self) -> None:
        """Write both files.

        Raises:
            OutputError: it cannot be written.
        """
        self._written_s = monotonic()
        results = {job.folder: (job.label, self.summaries.get(job)) for job in self._jobs}
        results |= {folder: (summary.source, summary) for folder, summary in self._others.items()}
        counts = Counter(summary.status for _, summary in results.values() if summary)
        state = {
            "videos": len(results),
            **{status: counts[status] for status in ("complete", "partial", "failed")},
            "waiting": len(results) - counts.total(),
            "done_before": len(self._kept) + len(self._others),
            "seconds": round(monotonic() - self._started_s, 1),
            **asdict(self._provenance),
            "results": [
                {
                    "source": source,
                    "folder": as_text(folder.relative_to(self._out)),
                    **_in_short(summary),
                }
                for folder, (source, summary) in results.items()
            ],
        }
        text = json.dumps(state, indent=2, ensure_ascii=False)
        write_atomically(self._out / LEDGER, text + "\n")
        renew_index(
            self._out, {folder: found for folder, (_, found) in results.items()}, self._annotations
        )


def renew_index(
    out: Path, results: Mapping[Path, Summary | None], annotations: Annotations
) -> None:
    """Write ``index.html``.

    Args:
        results: by folder; without a summary until the video is done.
        annotations: of them.

    Raises:
        OutputError: it cannot be written.
    """
    names = {folder: annotations.names(folder, found) for folder, found in results.items() if found}
    write_index(out, results, names)


def waiting_in(out: Path) -> list[Path]:
    """The folders of videos that the last run was not done with, by ``batch.json``."""
    try:
        results = json.loads((out / LEDGER).read_text(encoding="utf-8"))["results"]
        folders = [out / result["folder"] for result in results]
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return [folder for folder in folders if not (folder / SUMMARY).exists()]


def _in_short(summary: Summary | None) -> dict[str, Any]:
    if summary is None:
        return {"status": "waiting"}
    names = ("status", "reason", "frames", "duration_s", "faces", "tracks")
    return {name: getattr(summary, name) for name in names}


class LedgerReporter(Reporter):
    """Passes everything on, and adds videos that are done to the ledger."""

    def __init__(self, reporter: Reporter, ledger: Ledger) -> None:
        self._reporter, self._ledger = reporter, ledger

    def started(self, job: Job, info: VideoInfo) -> None:
        self._reporter.started(job, info)

    def advanced(self, job: Job, frames: int) -> None:
        self._ledger.renew()
        self._reporter.advanced(job, frames)

    def warned(self, warning: str) -> None:
        self._reporter.warned(warning)

    def finished(self, job: Job, summary: Summary) -> None:
        self._ledger.add(job, summary)
        self._reporter.finished(job, summary)


def _content(identity: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return identity.get("bytes"), identity.get("changed_ns")


def _bytes(job: Job) -> int:
    return int(job.identity().get("bytes", 0))
