"""Write ``segments.csv``, codebooks, and exports for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from html import escape
from pathlib import Path

import pyarrow

from configs.errors import OutputError
from configs.schema import Settings
from pipeline.results.exports.elan import write_elan
from pipeline.results.person import name_of
from pipeline.results.segments import COLUMNS
from pipeline.results.video_result import VideoResult
from stages.columns import codebook_text, column_names
from stages.write.files import move_into_place, output_errors_name, unfinished_name

SEGMENTS = "segments.csv"
CODEBOOKS = ("timeline.json", "segments.json")

ALWAYS = (SEGMENTS, *CODEBOOKS)
"""What is written without being asked for."""


def write_exports(result: VideoResult, folder: Path, settings: Settings) -> list[str]:
    """Write ``ALWAYS`` and the exports named in the settings; returns problems."""
    problems = []
    for name in (*ALWAYS, *export_names(settings.export.formats)):
        path = folder / name
        try:
            with output_errors_name(path):
                WRITERS[name](result, unfinished_name(path))
            move_into_place(path)
        except OutputError as error:
            problems.append(str(error))
            unfinished_name(path).unlink(missing_ok=True)
    return problems


def export_names(formats: Iterable[str]) -> list[str]:
    """File names of these formats."""
    return [f"timeline.{kind}" for kind in formats]


def _segments_csv(result: VideoResult, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(column_names(COLUMNS))
        table.writerows(segment.cells for segment in result.segments)


def _codebook_of_timeline(result: VideoResult, path: Path) -> None:
    path.write_text(codebook_text(result.columns), encoding="utf-8")


def _codebook_of_segments(_: VideoResult, path: Path) -> None:
    path.write_text(codebook_text(COLUMNS), encoding="utf-8")


def _parquet(result: VideoResult, path: Path) -> None:
    from pyarrow import parquet  # Slow to import, and seldom needed.

    notes = {
        column.name: {"description": column.description, "unit": column.unit or ""}
        for column in result.columns
    }
    fields = [field.with_metadata(notes[field.name]) for field in result.table.schema]
    record = {"source": str(result.source), **asdict(result.provenance)}
    metadata = {"emotion-timelines": json.dumps(record, ensure_ascii=False)}
    schema = pyarrow.schema(fields, metadata)
    with path.open("wb") as file:  # Arrow does not take every name.
        parquet.write_table(result.table.cast(schema), file)


def _captions(result: VideoResult, path: Path) -> None:
    cues = ["WEBVTT"]
    for segment in sorted(result.segments, key=lambda segment: (segment.start_s, segment.track)):
        start_ms, end_ms = result.film_ms(segment.start_s), result.film_ms(segment.end_s)
        if start_ms < end_ms:
            name = escape(name_of(segment.track, result.names), quote=False)
            who = escape(result.names.get(segment.track) or str(segment.track), quote=False)
            text = f"{segment.emotion} {segment.confidence:.0%}"
            text = f"{who}: {text}" if len(result.people) > 1 else text
            cues.append(f"{_clock(start_ms)} --> {_clock(end_ms)}\n<v {name}>{text}")
    path.write_text("\n\n".join(cues) + "\n", encoding="utf-8")


def _picture(result: VideoResult, path: Path) -> None:
    from pipeline.results.exports.picture import draw_timeline  # matplotlib is slow to import.

    draw_timeline(result, path)


def _clock(at_ms: int) -> str:
    minutes, ms = divmod(at_ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}.{ms % 1000:03d}"


WRITERS: dict[str, Callable[[VideoResult, Path], None]] = {
    SEGMENTS: _segments_csv,
    "timeline.json": _codebook_of_timeline,
    "segments.json": _codebook_of_segments,
    "timeline.parquet": _parquet,
    "timeline.eaf": write_elan,
    "timeline.vtt": _captions,
    "timeline.png": _picture,
    "timeline.svg": _picture,
}
"""By name of the file that they write."""

EXPORTS = tuple(name for name in WRITERS if name not in ALWAYS)
