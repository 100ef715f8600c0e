"""The files of one video's results, and a summary beside them however its analysis ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from configs.errors import OutputError
from pipeline.results.export import EXPORTS, SEGMENTS
from pipeline.results.report import REPORT
from pipeline.results.summary import SUMMARY, Provenance, Status, Summary
from pipeline.sources import Job, Stream
from stages.write.files import output_errors_name

TABLE, FILM = "timeline.csv", "annotated.mp4"

RESULTS = (TABLE, SEGMENTS, *EXPORTS, REPORT, FILM, "annotated-[0-9]*.mp4", SUMMARY)
"""Patterns of the files that a recording consists of."""


def clear_results(folder: Path) -> None:
    """Make a folder for results, and take away those of an earlier run: they are about to change.

    Raises:
        OutputError: the folder cannot be made or changed.
    """
    with output_errors_name(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in results_in(folder):
            path.unlink()
        for leftover in folder.glob(".unfinished.*"):
            leftover.unlink()


def results_in(folder: Path) -> list[Path]:
    """The results that are there, complete or growing."""
    return [path for pattern in RESULTS for path in sorted(folder.glob(pattern))]


def save_failure(job: Job | Stream, reason: str, provenance: Provenance) -> Summary:
    """The summary of a video of which nothing could be kept; raises nothing."""
    reason = reason.removeprefix(f"{job.source}: ")
    summary = Summary(source=str(job.source), status="failed", reason=reason, input=job.identity())
    try:
        clear_results(job.folder)
    except OutputError as error:
        return replace(summary, reason=f"{reason}; {error}" if str(error) != reason else reason)
    return save_summary(summary, job, provenance)


def save_lost_stream(stream: Stream, reason: str, provenance: Provenance) -> Summary:
    """The summary of a live stream whose worker died; its files stay as they are. Raises nothing.

    The table is whole up to then, and so are all pieces of the film but the last.
    """
    for leftover in stream.folder.glob(".unfinished.*"):
        leftover.unlink()
    files = tuple(path.name for path in results_in(stream.folder))
    status: Status = "partial" if TABLE in files else "failed"
    summary = Summary(source=stream.source, status=status, reason=reason, files=files)
    return save_summary(summary, stream, provenance)


def save_summary(summary: Summary, job: Job | Stream, provenance: Provenance) -> Summary:
    """Write a summary into the video's folder; if that fails, say so in what is returned."""
    try:
        summary.write(job.folder, provenance)
    except OutputError as error:
        reason = f"{summary.reason}; {error}" if summary.reason else str(error)
        return replace(summary, status="failed", reason=reason)
    return summary
