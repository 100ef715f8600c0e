"""Write tables as CSV, each with its codebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas

from stages.columns import PANDAS_TYPES, Column, codebook_text, column_names
from stages.write.files import (
    move_into_place,
    output_errors_name,
    unfinished_name,
    write_atomically,
)

DIGITS = 6
"""After the decimal point: microseconds, as in every table."""


def table_of(rows: Sequence[object], columns: Sequence[Column]) -> pandas.DataFrame:
    """A table of rows, in which also whole numbers may be missing."""
    table = pandas.DataFrame(rows, columns=column_names(columns))
    types = {column.name: column.type for column in columns if column.type != "number"}
    return table.astype({name: PANDAS_TYPES[kind] for name, kind in types.items()})


def write_table(table: pandas.DataFrame, path: Path, columns: Sequence[Column] = ()) -> None:
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
