"""End a video whose recorder cannot: it never began, died, hangs or was given up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyarrow import compute

from configs.errors import OutputError, explain
from configs.names import as_text
from pipeline.result_folders import TABLE
from pipeline.results.folder import clear_results, results_in, save_summary
from pipeline.results.summary import Provenance, Summary, public_settings, read_summary
from pipeline.results.timeline import read_table
from pipeline.sources import Job, Stream
from stages.write.files import (
    keep_what_plays,
    output_errors_name,
    unfinished_files,
    unfinished_name,
)
from stages.write.timeline_table import cut_torn_row


def end_without_recorder(
    job: Job | Stream, reason: str, provenance: Provenance, recorded: bool = True
) -> Summary:
    """Keep what is complete, and write the summary; raises nothing.

    Of a recorded video, a table that is complete is kept, and otherwise nothing, as it can be
    analysed again. Of a live stream, all is kept that was recorded, also a summary.

    Args:
        reason: why there is no more, in words.
        recorded: whether a recorder was at work. If not, what is there is of an earlier run.
    """
    live = isinstance(job, Stream)
    if live and recorded and (found := read_summary(job.folder)):
        return found[0]
    problems, counts = [reason.removeprefix(f"{as_text(job.source)}: ")], {}
    try:
        if live and recorded:
            counts = _recovered(job.folder)
        elif recorded and (job.folder / TABLE).exists():
            for leftover in job.folder.glob(".unfinished.*"):
                leftover.unlink(missing_ok=True)
        elif not live:
            clear_results(job.folder)
    except Exception as error:  # Whatever is wrong with one, the others go on.
        problems.append(explain(error))
    files = tuple(path.name for path in results_in(job.folder))
    summary = Summary(
        source=job.label,
        status="partial" if TABLE in files else "failed",
        reason="; ".join(dict.fromkeys(problems)),
        files=files,
        input=job.identity(),
        interrupted=recorded and (live or TABLE in files),
        **counts,
    )
    if isinstance(job, Stream):
        provenance = replace(provenance, settings=public_settings(job.settings))
    return save_summary(summary, job.folder, provenance, live)


def _recovered(folder: Path) -> dict[str, Any]:
    """Complete the files of a live stream; returns what its summary counts."""
    _keep_pieces(folder)
    table = folder / TABLE
    if not table.exists():
        return {}
    cut_torn_row(table)
    return _counts(table) if table.stat().st_size else {}


def _keep_pieces(folder: Path) -> None:
    for path in unfinished_files(folder):
        with suppress(OutputError):  # What cannot be kept stays as it is.
            if path.suffix == ".mp4":
                keep_what_plays(path)
            else:
                with output_errors_name(path):
                    unfinished_name(path).unlink()


def _counts(table: Path) -> dict[str, Any]:
    """What the summary counts, of a table alone."""
    rows = read_table(table)
    track = rows["track"].drop_null()
    return {
        "frames": compute.count_distinct(rows["frame"]).as_py(),
        "duration_s": compute.max(rows["time_s"]).as_py() or 0.0,
        "faces": len(track),
        "tracks": compute.count_distinct(track).as_py(),
    }
