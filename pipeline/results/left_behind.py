"""Complete the files of a live stream whose worker died or hangs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyarrow import compute

from configs.errors import OutputError, explain
from pipeline.places import TABLE
from pipeline.results.folder import results_in, save_summary
from pipeline.results.summary import Provenance, Summary, public_settings, read_summary
from pipeline.results.timeline import read_table
from pipeline.sources import Stream
from stages.write.files import (
    keep_what_plays,
    output_errors_name,
    unfinished_files,
    unfinished_name,
)
from stages.write.timeline_table import cut_torn_row


def save_recording(stream: Stream, reason: str, provenance: Provenance) -> Summary:
    """Keep what was recorded, and write its summary; raises nothing.

    If the worker wrote a summary before it died, that one stays.

    Args:
        reason: why the recording ended, in words.
    """
    if found := read_summary(stream.folder):
        return found[0]
    table, counts, problems = stream.folder / TABLE, {}, [reason]
    try:
        _keep_pieces(stream.folder)
        if table.exists():
            cut_torn_row(table)
            counts = _counts(table) if table.stat().st_size else {}
    except Exception as error:  # Whatever is wrong with one stream, the others go on.
        problems.append(explain(error))
    files = tuple(path.name for path in results_in(stream.folder))
    summary = Summary(
        source=stream.label,
        status="partial" if TABLE in files else "failed",
        reason="; ".join(dict.fromkeys(problems)),
        files=files,
        interrupted=True,
        **counts,
    )
    own = replace(provenance, settings=public_settings(stream.settings))
    return save_summary(summary, stream, own)


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
