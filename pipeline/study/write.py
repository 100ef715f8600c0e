"""Write tables as CSV."""

from __future__ import annotations

from pathlib import Path

import pandas

from stages.write.files import move_into_place, output_errors_name, unfinished_name

DIGITS = 6
"""After the decimal point: microseconds, as in every table."""


def write_table(table: pandas.DataFrame, path: Path) -> None:
    """Write a table atomically; what is missing is an empty cell.

    Raises:
        OutputError: it cannot be written.
    """
    with output_errors_name(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        table.round(DIGITS).to_csv(
            unfinished_name(path), index=False, lineterminator="\n", encoding="utf-8",
            errors="backslashreplace",
        )  # fmt: skip
    move_into_place(path)
