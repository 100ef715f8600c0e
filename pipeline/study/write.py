"""Write tables as CSV, each with its codebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas

from pipeline.results.codebook import Column, write_codebook
from stages.write.files import move_into_place, output_errors_name, unfinished_name

DIGITS = 6
"""After the decimal point: microseconds, as in every table."""


def table_of(rows: Sequence[object], columns: Sequence[Column]) -> pandas.DataFrame:
    """A table of rows, in which also whole numbers may be missing."""
    table = pandas.DataFrame(rows, columns=[column.name for column in columns])
    whole = [column.name for column in columns if column.type == "integer"]
    text = [column.name for column in columns if column.type == "string"]
    return table.astype({**dict.fromkeys(whole, "Int64"), **dict.fromkeys(text, "string")})


def write_table(table: pandas.DataFrame, path: Path, columns: Sequence[Column] = ()) -> None:
    """Write a table atomically; what is missing is an empty cell.

    Args:
        columns: for its codebook; none is written without any.

    Raises:
        OutputError: it cannot be written.
    """
    if columns:
        table = table[[column.name for column in columns]]
        write_codebook(path, columns)
    with output_errors_name(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        table.round(DIGITS).to_csv(
            unfinished_name(path), index=False, lineterminator="\n", encoding="utf-8",
            errors="backslashreplace",
        )  # fmt: skip
    move_into_place(path)
