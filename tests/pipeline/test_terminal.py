"""What is printed where nothing can be printed any more, or not for a while."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.terminal import Output


def test_a_file_on_a_full_disk_is_written_again_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limited_files: Callable[[int | None], None]
) -> None:
    with (tmp_path / "log").open("w") as log:
        monkeypatch.setattr(sys, "stdout", log)
        output = Output("stdout")
        for line, room in (("before\n", None), ("while\n", 10), ("after\n", None)):
            limited_files(room)
            output.write(line)
            output.flush()
        output.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")


def test_a_reader_that_left_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        os.close(reader)
        output = Output("stderr")
        output.write("lost")
        output.flush()
        assert os.path.samestat(os.fstat(writer), os.stat(os.devnull))  # noqa: PTH116
