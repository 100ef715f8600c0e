"""Write ``segments.csv``, codebooks, and exports for other programs."""

from __future__ import annotations

import csv
import json
import mimetypes
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import pyarrow

from configs.errors import OutputError
from configs.schema import Settings
from pipeline.results import codebook
from pipeline.results.named import name_of
from pipeline.results.segments import COLUMNS, Segment, as_rows, segments_by_person
from pipeline.results.video_result import VideoResult
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
        csv.writer(lines, lineterminator="\n").writerows([COLUMNS, *as_rows(result.segments)])


def _codebook_of_timeline(result: VideoResult, path: Path) -> None:
    path.write_text(codebook.codebook_text(_columns(result)), encoding="utf-8")


def _codebook_of_segments(_: VideoResult, path: Path) -> None:
    path.write_text(codebook.codebook_text(codebook.SEGMENTS), encoding="utf-8")


def _columns(result: VideoResult) -> list[codebook.Column]:
    """Those that the table has: early versions wrote fewer."""
    there = set(result.table.column_names)
    return [column for column in codebook.TIMELINE if column.name in there]


def _parquet(result: VideoResult, path: Path) -> None:
    from pyarrow import parquet  # Slow to import, and seldom needed.

    notes = {
        column.name: {"description": column.description, "unit": column.unit or ""}
        for column in _columns(result)
    }
    fields = [field.with_metadata(notes[field.name]) for field in result.table.schema]
    record = {"source": str(result.source), **result.provenance}
    metadata = {"emotion-timelines": json.dumps(record, ensure_ascii=False)}
    schema = pyarrow.schema(fields, metadata)
    with path.open("wb") as file:  # Arrow does not take every name.
        parquet.write_table(result.table.cast(schema), file)


def _elan(result: VideoResult, path: Path) -> None:
    from pympi import Eaf

    document = Eaf(author="Emotion Timelines")
    if result.film.exists():  # A live stream is recorded in pieces.
        film, kind = result.film.absolute(), mimetypes.guess_type(result.film.name)[0] or "video/*"
        address = _relative_address(film, path.parent.absolute())
        document.add_linked_file(film.as_uri(), address, mimetype=kind)
    of_person = segments_by_person(result.segments)
    for person in result.people:
        tier = name_of(person.track, result.names)
        document.add_tier(tier)
        for segment in of_person[person.track]:
            start_ms, end_ms = (_film_ms(result, at_s) for at_s in _times_s(segment))
            document.add_annotation(tier, start_ms, max(end_ms, start_ms + 1), segment.emotion)
    document.remove_tier("default")
    document.to_file(str(path))


def _relative_address(path: Path, folder: Path) -> str | None:
    """URL of a file from a folder; None for one on another drive of Windows."""
    try:
        address = quote(os.fsencode(Path(os.path.relpath(path, folder)).as_posix()))
    except ValueError:
        return None
    return address if address.startswith("../") else f"./{address}"


def _captions(result: VideoResult, path: Path) -> None:
    cues = ["WEBVTT"]
    for segment in sorted(result.segments, key=lambda segment: (segment.start_s, segment.track)):
        start_ms, end_ms = (_film_ms(result, at_s) for at_s in _times_s(segment))
        if start_ms < end_ms:
            name = name_of(segment.track, result.names)
            who = f"{result.names.get(segment.track) or segment.track}: "
            text = (
                f"{who if len(result.people) > 1 else ''}{segment.emotion} {segment.confidence:.0%}"
            )
            cues.append(f"{_clock(start_ms)} --> {_clock(end_ms)}\n<v {name}>{text}")
    path.write_text("\n\n".join(cues) + "\n", encoding="utf-8")


def _picture(result: VideoResult, path: Path) -> None:
    from pipeline.results.picture import draw_timeline  # matplotlib is slow to import.

    draw_timeline(result, path)


def _times_s(segment: Segment) -> tuple[float, float]:
    return segment.start_s, segment.end_s


def _film_ms(result: VideoResult, at_s: float) -> int:
    # Down, so that no segment begins after its first frame; microseconds, as a table has them.
    return round((result.film_starts_s + at_s) * 1_000_000) // 1000


def _clock(at_ms: int) -> str:
    minutes, ms = divmod(at_ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}.{ms % 1000:03d}"


WRITERS: dict[str, Callable[[VideoResult, Path], None]] = {
    SEGMENTS: _segments_csv,
    "timeline.json": _codebook_of_timeline,
    "segments.json": _codebook_of_segments,
    "timeline.parquet": _parquet,
    "timeline.eaf": _elan,
    "timeline.vtt": _captions,
    "timeline.png": _picture,
    "timeline.svg": _picture,
}
"""By name of the file that they write."""

EXPORTS = tuple(name for name in WRITERS if name not in ALWAYS)
