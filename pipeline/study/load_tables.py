"""Load the tables of results into pandas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow

from configs.errors import SourceError, UsageError
from configs.names import nearest
from pipeline.result_folders import SUMMARY, TABLE, folders_with_summaries, name_in
from pipeline.results.exports.writers import SEGMENTS
from pipeline.results.segments import COLUMNS
from pipeline.results.summary import read_summary
from pipeline.results.timeline import OWN_COLUMNS, read_table
from pipeline.study.annotations import EXPORTED, changed_since_export, read_study
from stages.columns import PANDAS_TYPES

if TYPE_CHECKING:
    import pandas

    from pipeline.study.videos import Video

FILES = {"timeline": (TABLE, OWN_COLUMNS), "segments": (SEGMENTS, COLUMNS)}
"""The file in a video's folder that holds each table, and its columns."""

OF_VIDEOS = ("videos", "people")
"""Made of the results that are there."""

TABLES = (*FILES, *OF_VIDEOS, *EXPORTED)


def load(results: str | Path, table: str = "timeline") -> pandas.DataFrame:
    """A table over all videos of an output folder.

    Args:
        results: an output folder; for ``timeline``, ``segments``, ``videos`` and ``people`` also
            the folder of one video in it.
        table: ``timeline`` or ``segments``: those of all videos as one, video after video;
            ``videos`` or ``people``: a row for each; ``bins``, ``events``, ``conditions`` or
            ``synchrony``: as the command ``export`` wrote it.

    Returns:
        ``video``, the video's folder within ``results``, then the table's columns, which its
        codebook explains (``NAME.json`` beside it). Text is of pandas's ``string``, whole numbers
        (such as ``track``) of its ``Int64``, in which a frame without a face has ``<NA>``; also
        where no video has a face. ``videos`` and ``people`` are of the results as they are now.

    Raises:
        UsageError: there is no such table, or no result with one.
        SourceError: a table cannot be read.

    Example:
        from emotion_timelines import load
        timeline = load("timelines")
        timeline.groupby(["video", "track"])["happy"].mean()
    """
    root = Path(results)
    if table in FILES:
        return _joined(root, table)
    if table in OF_VIDEOS:
        return _of_videos(root, table)
    if table in EXPORTED:
        return _exported(root, table)
    raise UsageError(f"{table}: no such table{nearest(table, TABLES)}; tables: {', '.join(TABLES)}")


def _of_videos(root: Path, table: str) -> pandas.DataFrame:
    from pipeline.study.videos import tables_of

    videos = [_video(root, folder) for folder in folders_with_summaries(root)]
    if not videos:
        problem = f"no {SUMMARY} in it, nor below it" if root.is_dir() else "no such folder"
        raise UsageError(f"{root}: {problem}; name a folder with results")
    tables, problems = tables_of(videos, read_study(root))
    if problems:
        raise SourceError(problems[0])
    rows, columns = tables[f"{table}.csv"]
    return rows.astype({column.name: PANDAS_TYPES[column.type] for column in columns})


def _video(root: Path, folder: Path) -> Video:
    from pipeline.study.videos import video_at

    found = read_summary(folder)
    if found is None:
        raise SourceError(f"{folder / SUMMARY}: not a summary that can be read")
    return video_at(root, folder, found)


def _exported(root: Path, table: str) -> pandas.DataFrame:
    import pandas

    path = root / f"{table}.csv"
    if path.exists() and (changed := changed_since_export(root)):
        raise SourceError(
            f"{path}: made before {changed[0]} was analysed again, added or deleted; make it again "
            "by the command export"
        )
    try:
        meanings = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        kinds = {name: PANDAS_TYPES[meaning["Format"]] for name, meaning in meanings.items()}
        return pandas.read_csv(path, dtype=kinds, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; the command export writes it") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SourceError(f"{path}: not a table that can be read: {error}") from error


def _joined(root: Path, table: str) -> pandas.DataFrame:
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
