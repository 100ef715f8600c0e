"""The table: complete under its final name, or not there."""

from __future__ import annotations

import csv
import errno
import os
from pathlib import Path

import pytest

from configs.errors import OutputError
from stages.write.timeline_table import TableWriter

ROWS = [("0", 'with "quotes", and commas'), ("1", "naïve"), ("2", "")]


def test_rows_are_read_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "timeline.csv"
    writer = TableWriter(path, ("frame", "note"))
    writer.write(ROWS[:1])
    writer.write(ROWS[1:])
    assert not path.exists()
    writer.finish()
    with path.open(newline="", encoding="utf-8") as file:
        assert [tuple(row) for row in csv.reader(file)] == [("frame", "note"), *ROWS]
    assert [file.name for file in tmp_path.iterdir()] == ["timeline.csv"]
    assert b"\r" not in path.read_bytes()


def test_discarded_table_leaves_nothing(tmp_path: Path) -> None:
    writer = TableWriter(tmp_path / "timeline.csv", ("frame",))
    writer.write([("0",)])
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"timeline\.csv: cannot be written: .* -o"):
        TableWriter(tmp_path / "nowhere" / "timeline.csv", ("frame",))


def test_a_file_is_on_the_disk_before_it_gets_its_final_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a power cut; its name is there before anything that is written later."""
    forced: list[tuple[str, bool]] = []

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        forced.append((path.name, (tmp_path / "timeline.csv").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    writer = TableWriter(tmp_path / "timeline.csv", ("frame",))
    writer.finish()
    assert forced == [(".unfinished.timeline.csv", False), (tmp_path.name, True)]


@pytest.mark.parametrize(
    ("name", "number", "written"),
    [("open", errno.EACCES, True), ("fsync", errno.ENOSYS, True), ("fsync", errno.EIO, False)],
)
def test_a_file_system_may_not_offer_that_but_must_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int, written: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    writer = TableWriter(tmp_path / "timeline.csv", ("frame",))
    monkeypatch.setattr(os, name, refuse)
    if written:
        writer.finish()
    else:
        with pytest.raises(OutputError, match="Input/output error"):
            writer.finish()
    assert (tmp_path / "timeline.csv").exists() == written
