"""Load the timelines of many videos into pandas.

Example:
    from pipeline.timelines import load
    frame = load("results/")
    frame.groupby("video")["happy"].mean()
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow

from configs.errors import UsageError
from pipeline.results.timeline import read_table

if TYPE_CHECKING:
    import pandas


def load(results: str | Path, table: str = "timeline.csv") -> pandas.DataFrame:
    """All timelines below a folder, one under the other, in the order of their names.

    Args:
        results: an output folder, or the folder of one video in it.
        table: ``timeline.csv``, or ``segments.csv``.

    Returns:
        The table's columns, and before them ``video``: the video's folder within ``results``.

    Raises:
        UsageError: there is no such table, or pandas is not installed.
        SourceError: a table cannot be read.
    """
    root = Path(results)
    paths = sorted(root.rglob(table))
    if not paths:
        raise UsageError(f"{root}: no {table} in it, nor below it")
    parts = []
    for path in paths:
        rows = read_table(path)
        folder = path.parent.relative_to(root)
        name = folder.as_posix() if folder.parts else path.parent.resolve().name
        parts.append(rows.add_column(0, "video", [pyarrow.repeat(name, len(rows))]))
    try:
        return pyarrow.concat_tables(parts, promote_options="default").to_pandas()
    except ImportError as error:
        raise UsageError("pandas is not installed; pip install pandas") from error
