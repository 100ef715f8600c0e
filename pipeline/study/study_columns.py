"""Columns that tables over all results share; how such a table is written, with its codebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import pandas

from models.emotions import EMOTIONS
from stages.columns import (
    PANDAS_TYPES,
    TIMELINE,
    Column,
    TimelineColumn,
    codebook_text,
    column_names,
)
from stages.write.files import (
    move_into_place,
    output_errors_name,
    unfinished_name,
    write_atomically,
)

MEASURED = [column for column in TIMELINE if column.name in (*EMOTIONS, "valence")]
MEASURES = tuple(column_names(MEASURED))
"""What all means and maxima are of; those of further columns come behind."""

SHARE = "share, 0 to 1"

VIDEO = Column("video", "Folder of the video within the output folder.", type="string")
TRACK = Column(
    "track",
    "Number of the person in this video, from 1; of several tracks of one name, the first. Empty "
    "where the video shows nobody.",
    type="integer",
)
NAME = Column("name", "Name of the person, from --names; empty without one.", type="string")
SEEN = Column("seen_share", "Share of the time for which the person's face is seen.", SHARE)
USABLE = Column(
    "usable_share",
    "Share of the time seen for which the face is usable: means and maxima are over this time. "
    "Empty where it is not seen.",
    SHARE,
)
EMPTY = "Empty without usable time."


def means_of(columns: Iterable[TimelineColumn]) -> list[Column]:
    return [
        Column(
            f"mean_{column.name}", f"Mean {column.mean_of}, over usable time. {EMPTY}", column.unit
        )
        for column in columns
    ]


def maxima_of(columns: Iterable[TimelineColumn], when: str = "in") -> list[Column]:
    return [
        Column(
            f"max_{column.name}",
            f"Largest {column.mean_of}, {when} usable time. {EMPTY}",
            column.unit,
        )
        for column in columns
    ]


BASELINES = tuple(
    Column(
        f"baseline_{column.name}",
        f"Mean {column.mean_of}, the person compared with their own neutral face, over usable "
        "time. Empty also for a person without such a stretch.",
        column.unit,
    )
    for column in MEASURED
)
BASELINE_MEASURES = tuple(column_names(BASELINES))


def added_columns(table: pandas.DataFrame, names: Iterable[str], origin: str) -> tuple[Column, ...]:
    """Columns that a user added, as they are in a table of text.

    Args:
        origin: which of the user's tables they come from.
    """
    return tuple(Column(name, f"From {origin}.", type=_type(table[name])) for name in names)


def _type(cells: pandas.Series) -> Literal["number", "string"]:
    given = cells.dropna()
    given = given[given != ""]
    numbers = pandas.to_numeric(given, errors="coerce")
    return "number" if len(given) and numbers.notna().all() else "string"


DIGITS = 6
"""After the decimal point: microseconds, as in every table."""


def table_of(rows: Sequence[object], columns: Sequence[Column]) -> pandas.DataFrame:
    """A table of rows, in which also whole numbers may be missing."""
    table = pandas.DataFrame(rows, columns=column_names(columns))
    types = {column.name: column.type for column in columns if column.type != "number"}
    return table.astype({name: PANDAS_TYPES[kind] for name, kind in types.items()})


def write_table(table: pandas.DataFrame, columns: Sequence[Column], path: Path) -> None:
    """Write a table atomically; what is missing is an empty cell.

    Args:
        columns: for its codebook; none is written without any.

    Raises:
        OutputError: it cannot be written.
    """
    if columns:
        table = table[column_names(columns)]
        write_atomically(path.with_suffix(".json"), codebook_text(columns))
    with output_errors_name(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        table.round(DIGITS).to_csv(
            unfinished_name(path), index=False, lineterminator="\n", encoding="utf-8",
            errors="backslashreplace",
        )  # fmt: skip
    move_into_place(path)
