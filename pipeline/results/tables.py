"""Read the tables of results into pandas: of one video, or of all videos below a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow

from configs.errors import UsageError
from pipeline.places import TABLE, name_in
from pipeline.results.exports.writers import SEGMENTS
from pipeline.results.segments import COLUMNS
from pipeline.results.timeline import OWN_COLUMNS, read_table

if TYPE_CHECKING:
    import pandas

FILES = {"timeline": (TABLE, OWN_COLUMNS), "segments": (SEGMENTS, COLUMNS)}
"""The file in a video's folder that holds each table, and its columns."""


def joined(root: Path, table: str) -> pandas.DataFrame:
    """The tables of all videos below a folder as one, with ``video`` first, video after video.

    Raises:
        UsageError: no video has one.
        SourceError: one cannot be read.
    """
    name, columns = FILES[table]
    folders = sorted(path.parent for path in root.rglob(name))
    if not folders:
        problem = f"no {name} in it, nor below it" if root.is_dir() else "no such folder"
        raise UsageError(f"{root}: {problem}; name a folder with results")
    parts = []
    for folder in folders:
        rows = read_table(folder / name, columns)
        video = pyarrow.array([name_in(root, folder)] * len(rows), "string")
        parts.append(rows.add_column(0, "video", video))
    return _as_pandas(pyarrow.concat_tables(parts, promote_options="default"))


def table_of(folder: Path, table: str) -> pandas.DataFrame:
    """A table of one video, without ``video``.

    Raises:
        SourceError: it is missing, or cannot be read.
    """
    name, columns = FILES[table]
    return _as_pandas(read_table(folder / name, columns))


def _as_pandas(table: pyarrow.Table) -> pandas.DataFrame:
    import pandas  # Slow to import, and not needed to analyse.

    types = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.string(): pandas.StringDtype()}
    return table.to_pandas(types_mapper=types.get)
