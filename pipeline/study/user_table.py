"""Read the tables that a user gives; what is wrong in them is reported with line and remedy."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pandas

from configs.errors import UserTableError
from configs.names import nearest

MAX_PROBLEMS = 20
"""Of one file, that are reported one by one."""

MISSING = "n/a"
"""An empty cell, in BIDS."""


class UserTable:
    """A table with a header, as a user gave it: CSV, or TSV as in BIDS.

    Cells are separated by commas, semicolons or tabs, whichever the header has most of. Where they
    are not commas, a number may have a decimal comma.

    Args:
        path: the file; UTF-8, with or without a byte-order mark.
        required: columns that it must have.
        renamed: other names of columns, and what they are called here.

    Attributes:
        rows: all cells as text, without spaces around them; an empty cell, or ``n/a``, is ``""``.
            Its index is the number of the line in the file.

    Raises:
        UserTableError: it cannot be read, lacks a column, or has lines of another length.
    """

    def __init__(
        self, path: Path, required: Sequence[str], renamed: dict[str, str] | None = None
    ) -> None:
        self.path = path
        self._problems: list[tuple[int, str]] = []
        text = self._text()
        header = text.partition("\n")[0]
        separator = max("\t;,", key=header.count)
        self._decimal_comma = separator != ","
        reader = csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
        lines: list[list[str]] = []
        numbers: list[int] = []
        begins = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    lines.append([_value(cell) for cell in cells])
                    numbers.append(begins)
                begins = reader.line_num + 1
        except csv.Error as error:
            self.wrong(begins, f"not CSV: {error}; close every quotation mark")
            self.refuse_if_wrong()
        columns = [(renamed or {}).get(name, name) for name in lines[0]] if lines else []
        self._check_header(columns, required)
        for number, cells in zip(numbers[1:], lines[1:], strict=True):
            if len(cells) != len(columns):
                self.wrong(
                    number, f"{len(cells)} cells, the header has {len(columns)}; give it as many, "
                    "and quote a cell that holds the separator"
                )  # fmt: skip
        self.refuse_if_wrong()
        self.rows = pandas.DataFrame(lines[1:], numbers[1:], columns, dtype=str)

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            problem = "not UTF-8; save it as 'CSV UTF-8'"
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
        raise UserTableError([f"{self.path}: {problem}"])

    def _check_header(self, columns: Sequence[str], required: Sequence[str]) -> None:
        for name in required:
            if name not in columns:
                others = [column for column in columns if column not in required]
                self.wrong(
                    1, f"no column '{name}'{nearest(name, others)}; "
                    f"it needs {', '.join(required)}"
                )  # fmt: skip
        for name in dict.fromkeys(columns):
            if columns.count(name) > 1:
                self.wrong(1, f"the column '{name}' is there twice; rename one")
        if "" in columns:
            self.wrong(1, "a column has no name; name it, or take it out")
        self.refuse_if_wrong()

    def numbers(self, column: str) -> pandas.Series:
        """A column as float64; an empty or wrong cell is NaN, and reported."""
        return pandas.Series(
            [self._number(line, column, text) for line, text in self.rows[column].items()],
            self.rows.index,
            dtype=float,
        )

    def _number(self, line: int, column: str, text: str) -> float:
        try:
            number = float(text.replace(",", ".") if self._decimal_comma else text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.wrong(line, f"{column} is {text!r}; give a number, such as 12.5")
            return math.nan
        return number

    def check_known(self, column: str, known: Collection[str], what: str) -> None:
        """Report each value of a column that is not among those known."""
        for line, value in self.rows[column].items():
            if value not in known:
                self.wrong(
                    line, f"{column} is {value!r}, which is no {what}{nearest(value, known)}; "
                    "correct it or take the line out"
                )  # fmt: skip

    def check_unique(self, *columns: str) -> None:
        """Report each line that has the same values as one before."""
        first: dict[tuple[str, ...], int] = {}
        for line, *values in self.rows[list(columns)].itertuples():
            before = first.setdefault(tuple(values), line)
            if before != line:
                same = ", ".join(
                    f"{column} {value!r}" for column, value in zip(columns, values, strict=True)
                )
                self.wrong(line, f"{same} is in line {before} as well; take one of them out")

    def wrong(self, line: int, problem: str) -> None:
        """Note what is wrong in a line."""
        self._problems.append((line, f"{self.path}: line {line}: {problem}"))

    def refuse_if_wrong(self) -> None:
        """Raise what was noted so far, in the order of lines.

        Raises:
            UserTableError: something was.
        """
        if self._problems:
            problems = [problem for _, problem in sorted(self._problems)]
            more = len(problems) - MAX_PROBLEMS
            if more > 0:
                problems[MAX_PROBLEMS:] = [f"{self.path}: {more} more lines are wrong"]
            raise UserTableError(problems)


def further_columns(
    table: UserTable, own: Iterable[str], taken: Collection[str]
) -> pandas.DataFrame:
    """The columns that a user added to a table.

    Args:
        own: those that the program reads.
        taken: names that columns of ours have in the tables that these will join.

    Raises:
        UserTableError: a column has one of these names.
    """
    added = [name for name in table.rows if name not in own]
    for name in added:
        if name in taken:
            table.wrong(1, f"the column '{name}' is one of the program's own; rename it")
    table.refuse_if_wrong()
    return table.rows[added]


def _value(cell: str) -> str:
    value = cell.strip()
    return "" if value == MISSING else value
