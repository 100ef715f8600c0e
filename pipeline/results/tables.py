"""Read the tables of results into pandas: of one video, or of all videos below a folder."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow

from configs.errors import SourceError, UsageError
from models.emotions import EMOTIONS
from pipeline.places import SUMMARY, TABLE
from pipeline.results.export import SEGMENTS
from pipeline.results.timeline import read_table

if TYPE_CHECKING:
    import pandas

FILES = {"timeline": TABLE, "segments": SEGMENTS, "people": SUMMARY}
"""The file in a video's folder that holds each table."""


def load(results: str | Path, table: str = "timeline") -> pandas.DataFrame:
    """The tables of all videos below a folder as one, video after video.

    Args:
        results: an output folder, or the folder of one video in it.
        table: ``timeline``, ``segments`` or ``people``.

    Returns:
        ``video``, the video's folder within ``results``, then the table's columns. Text is of
        pandas's ``string``, whole numbers (such as ``track``) of its ``Int64``, in which a frame
        without a face has ``<NA>``; also where no video has a face. ``people`` has a row for each
        person, from ``summary.json``: ``share_angry`` and so on are shares of the time that the
        face is visible and usable, ``changes`` counts changes from one expression to another.

    Raises:
        UsageError: there is no such table, or no result with one.
        SourceError: a table cannot be read.

    Example:
        from pipeline import load
        timeline = load("timelines")
        timeline.groupby(["video", "track"])["happy"].mean()
    """
    root = Path(results)
    if table not in FILES:
        meant = difflib.get_close_matches(table, FILES, n=1, cutoff=0.5)
        hint = f", did you mean '{meant[0]}'?" if meant else ""
        raise UsageError(f"{table}: no such table{hint}; tables: {', '.join(FILES)}")
    folders = sorted(path.parent for path in root.rglob(FILES[table]))
    if not folders:
        problem = f"no {FILES[table]} in it, nor below it" if root.is_dir() else "no such folder"
        raise UsageError(f"{root}: {problem}; name a folder with results")
    parts = []
    for folder in folders:
        rows, place = _arrow_table(folder, table), folder.relative_to(root)
        name = place.as_posix() if place.parts else folder.resolve().name
        parts.append(rows.add_column(0, "video", pyarrow.array([name] * len(rows), "string")))
    return _as_pandas(pyarrow.concat_tables(parts, promote_options="default"))


def table_of(folder: Path, table: str) -> pandas.DataFrame:
    """A table of one video, as ``load`` gives it but without ``video``.

    Raises:
        SourceError: it is missing, or cannot be read.
    """
    return _as_pandas(_arrow_table(folder, table))


def _arrow_table(folder: Path, table: str) -> pyarrow.Table:
    path = folder / FILES[table]
    return _people(path) if table == "people" else read_table(path)


def _people(summary: Path) -> pyarrow.Table:
    """A row for each person of a ``summary.json``."""
    try:
        people = json.loads(summary.read_text(encoding="utf-8"))["people"]
        rows = [_person(figures) for figures in people]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SourceError(f"{summary}: not a summary that can be read: {error}") from error
    return pyarrow.Table.from_pylist(rows, PEOPLE)


def _person(figures: dict[str, Any]) -> dict[str, Any]:
    shares = {f"share_{name}": figures["shares"].get(name) for name in EMOTIONS}
    return {**figures, **shares, "changes": sum(figures["transitions"].values())}


def _as_pandas(table: pyarrow.Table) -> pandas.DataFrame:
    import pandas  # Slow to import, and not needed to analyse.

    types = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.string(): pandas.StringDtype()}
    return table.to_pandas(types_mapper=types.get)


PEOPLE = pyarrow.schema(
    {
        "track": pyarrow.int64(),
        **dict.fromkeys(
            ("first_s", "last_s", "face_s", "usable_share", "confidence"), pyarrow.float64()
        ),
        **{f"share_{name}": pyarrow.float64() for name in EMOTIONS},
        "changes": pyarrow.int64(),
    }
)
