"""Read the tables of results into pandas: of one video, or of all videos below a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow

from configs.errors import UsageError
from pipeline.places import TABLE
from pipeline.results.export import SEGMENTS
from pipeline.results.timeline import read_table

if TYPE_CHECKING:
    import pandas

FILES = {"timeline": TABLE, "segments": SEGMENTS}
"""The file in a video's folder that holds each table."""


def joined(root: Path, table: str) -> pandas.DataFrame:
    """The tables of all videos below a folder as one, with ``video`` first, video after video.

    Raises:
        UsageError: no video has one.
        SourceError: one cannot be read.
    """
    folders = sorted(path.parent for path in root.rglob(FILES[table]))
    if not folders:
        problem = f"no {FILES[table]} in it, nor below it" if root.is_dir() else "no such folder"
        raise UsageError(f"{root}: {problem}; name a folder with results")
    parts = []
    for folder in folders:
        rows, place = read_table(folder / FILES[table]), folder.relative_to(root)
        name = place.as_posix() if place.parts else folder.resolve().name
        parts.append(rows.add_column(0, "video", pyarrow.array([name] * len(rows), "string")))
    return _as_pandas(pyarrow.concat_tables(parts, promote_options="default"))


def table_of(folder: Path, table: str) -> pandas.DataFrame:
    """A table of one video, without ``video``.

    Raises:
        SourceError: it is missing, or cannot be read.
    """
    return _as_pandas(read_table(folder / FILES[table]))


def _as_pandas(table: pyarrow.Table) -> pandas.DataFrame:
    import pandas  # Slow to import, and not needed to analyse.

    types = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.string(): pandas.StringDtype()}
    return table.to_pandas(types_mapper=types.get)
