"""The files in a video's folder, and summaries of analyses that failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from configs.errors import OutputError, explain
from configs.names import as_text
from pipeline.places import SUMMARY, TABLE
from pipeline.results.export import ALWAYS, EXPORTS
from pipeline.results.report import REPORT
from pipeline.results.summary import Provenance, Status, Summary
from pipeline.sources import Job, Stream
from stages.write.files import force_to_disk, output_errors_name

FILM = "annotated.mp4"

RESULTS = (TABLE, *ALWAYS, *EXPORTS, REPORT, FILM, "annotated-[0-9]*.mp4", SUMMARY)
"""Patterns of all files in a video's folder."""


def clear_results(folder: Path) -> None:
    """Make a folder for results, and delete those of an earlier run.

    Raises:
        OutputError: the folder cannot be made or changed.
    """
    with output_errors_name(folder):
        folder.mkdir(parents=True, exist_ok=True)
        force_to_disk(folder.parent)
        for path in results_in(folder):
            path.unlink()
        for leftover in folder.glob(".unfinished.*"):
            leftover.unlink()


def results_in(folder: Path) -> list[Path]:
    """The results that are there, a growing ``timeline.csv`` of a live stream included."""
    return [path for pattern in RESULTS for path in sorted(folder.glob(pattern))]


def save_failure(job: Job | Stream, reason: str, provenance: Provenance) -> Summary:
    """Write the summary of a video without results; raises nothing."""
    reason = reason.removeprefix(f"{as_text(job.source)}: ")
    summary = Summary(source=job.label, status="failed", reason=reason, input=job.identity())
    try:
        clear_results(job.folder)
    except OutputError as error:
        problem = explain(error)
        return replace(summary, reason=f"{reason}; {problem}" if problem != reason else reason)
    return save_summary(summary, job, provenance)


def save_what_is_there(job: Job | Stream, reason: str, provenance: Provenance) -> Summary:
    """Write the summary of a video or stream whose recorder died; raises nothing.

    A table that is complete, or that of a live stream up to then, is kept, as are all pieces of
    the video but the last.
    """
    for leftover in job.folder.glob(".unfinished.*"):
        leftover.unlink(missing_ok=True)
    files = tuple(path.name for path in results_in(job.folder))
    if TABLE not in files and isinstance(job, Job):
        return save_failure(job, reason, provenance)
    status: Status = "partial" if TABLE in files else "failed"
    summary = Summary(
        source=job.label,
        status=status,
        reason=reason,
        files=files,
        input=job.identity(),
        interrupted=isinstance(job, Job),
    )
    return save_summary(summary, job, provenance)


def save_summary(summary: Summary, job: Job | Stream, provenance: Provenance) -> Summary:
    """Write a summary; returns it, with status and reason changed if it could not be written."""
    try:
        summary.write(job.folder, provenance)
    except OutputError as error:
        reason = "; ".join(filter(None, (summary.reason, explain(error))))
        return replace(summary, status="failed", reason=reason)
    return summary
