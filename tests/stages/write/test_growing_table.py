"""The table of a live stream: rows are whole, come what may, and nothing of others is touched."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from configs.errors import LostOutputError, OutputError
from stages.write.timeline_table import GrowingTable, cut_torn_row


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_rows_can_be_read_as_soon_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "timeline.csv"
    table = GrowingTable(path, ("frame", "note"))
    table.write([])
    assert not path.exists()
    table.write([("0", 'with "quotes", and commas')])
    assert rows_of(path) == [["frame", "note"], ["0", 'with "quotes", and commas']]
    table.write([("1", "naïve")])
    assert rows_of(path)[2:] == [["1", "naïve"]]
    table.finish()
    assert len(rows_of(path)) == 3
    with pytest.raises(OutputError, match="File exists"):
        GrowingTable(path, ("frame",)).write([("0",)])


def test_rows_that_find_no_room_are_left_out_whole_and_later_ones_are_written(
    limited_files: Callable[[int | None], None], tmp_path: Path
) -> None:
    path = tmp_path / "timeline.csv"
    table = GrowingTable(path, ("frame", "note"))
    limited_files(0)
    with pytest.raises(OutputError, match="cannot be written"):
        table.write([("0", "")])
    limited_files(100)
    table.write([("1", "x" * 60)])
    with pytest.raises(OutputError, match="cannot be written"):
        table.write([("2", "x" * 60), ("3", "")])
    assert [row[0] for row in rows_of(path)] == ["frame", "1"]
    limited_files(None)
    table.write([("4", "")])
    table.finish()
    assert [row[0] for row in rows_of(path)] == ["frame", "1", "4"]


@pytest.mark.parametrize("harm", ["delete", "replace"])
def test_somebody_who_takes_the_file_away_is_noticed(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "timeline.csv"
    table = GrowingTable(path, ("frame",))
    table.write([("0",)])
    if harm == "delete":
        path.unlink()
    else:
        (tmp_path / "other").write_text("of somebody else")
        (tmp_path / "other").replace(path)
    with pytest.raises(LostOutputError, match=r"timeline\.csv: somebody deleted or replaced"):
        table.write([("1",)])
    assert [file.read_text() for file in tmp_path.iterdir()] == ["of somebody else"][
        : harm == "replace"
    ]


@pytest.mark.parametrize(
    ("torn", "whole"), [("a\n1\n2", "a\n1\n"), ("a\n1\n", "a\n1\n"), ("a", ""), ("", "")]
)
def test_a_torn_row_is_cut_off(tmp_path: Path, torn: str, whole: str) -> None:
    path = tmp_path / "timeline.csv"
    path.write_text(torn)
    cut_torn_row(path)
    assert path.read_text() == whole
