"""The files in a video's folder, and summaries of analyses that failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from configs.errors import LostOutputError, OutputError, explain
from configs.names import as_text
from pipeline.places import REPORT, SUMMARY, TABLE
from pipeline.results.exports.writers import ALWAYS, EXPORTS
from pipeline.results.summary import Provenance, Summary
from pipeline.sources import Job, Stream
from stages.write.files import force_to_disk, output_errors_name

FILM, STILL = "annotated.mp4", "thumbnail.jpg"

RESULTS = (TABLE, *ALWAYS, *EXPORTS, REPORT, STILL, FILM, "annotated-[0-9]*.mp4", SUMMARY)
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
        if isinstance(job, Job):  # A stream's folder has never had anything else in it.
            clear_results(job.folder)
    except OutputError as error:
        problem = explain(error)
        return replace(summary, reason=f"{reason}; {problem}" if problem != reason else reason)
    return save_summary(summary, job, provenance)


def save_what_is_there(job: Job, reason: str, provenance: Provenance) -> Summary:
    """Write the summary of a video whose recorder died; raises nothing.

    A table that is complete is kept.
    """
    for leftover in job.folder.glob(".unfinished.*"):
        leftover.unlink(missing_ok=True)
    files = tuple(path.name for path in results_in(job.folder))
    if TABLE not in files:
        return save_failure(job, reason, provenance)
    summary = Summary(
        source=job.label,
        status="partial",
        reason=reason,
        files=files,
        input=job.identity(),
        interrupted=True,
    )
    return save_summary(summary, job, provenance)


def save_summary(summary: Summary, job: Job | Stream, provenance: Provenance) -> Summary:
    """Write a summary; returns it, with status and reason changed if it could not be written.

    A stream's folder is not made again: it was there, so somebody deleted it.
    """
    try:
        if isinstance(job, Stream) and not job.folder.is_dir():
            raise LostOutputError(f"{job.folder}: somebody deleted this folder meanwhile")
        summary.write(job.folder, provenance)
    except OutputError as error:
        reason = "; ".join(filter(None, (summary.reason, explain(error))))
        recorded = isinstance(job, Stream) and TABLE in summary.files
        return replace(summary, status="partial" if recorded else "failed", reason=reason)
    return summary


def save_renewed(summary: Summary, folder: Path, provenance: Provenance) -> Summary:
    """Write the summary of results that are there, likewise."""
    try:
        summary.write(folder, provenance)
    except OutputError as error:
        reason = "; ".join(filter(None, (summary.reason, explain(error))))
        return replace(summary, status="failed", reason=reason)
    return summary
