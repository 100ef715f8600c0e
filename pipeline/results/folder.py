"""The files in a video's folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from configs.errors import LostOutputError, OutputError, explain
from pipeline.result_folders import REPORT, SUMMARY, TABLE
from pipeline.results.exports.writers import ALWAYS, EXPORTS
from pipeline.results.summary import Provenance, Status, Summary
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


def save_summary(
    summary: Summary, folder: Path, provenance: Provenance, live: bool = False
) -> Summary:
    """Write a summary; returns it, with status and reason changed if it could not be written.

    Args:
        live: the folder is that of a live stream. It is not made again: it was there, so somebody
            deleted it.
    """
    try:
        if live and not folder.is_dir():
            raise LostOutputError(f"{folder}: somebody deleted this folder meanwhile")
        summary.write(folder, provenance)
    except OutputError as error:
        reasons = dict.fromkeys(filter(None, (summary.reason, explain(error))))
        recorded = live and TABLE in summary.files
        status: Status = "partial" if recorded else "failed"
        return replace(summary, status=status, reason="; ".join(reasons))
    return summary
