"""Nobody may read what is printed; the analysis is complete all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.command import RESULTS, command, file_names, summary
from tests.stages.clips import make_clip


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-", "| true", "> /dev/full 2>&1"])
def test_closed_streams_end_nothing(tmp_path: Path, closed: str) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=5)
    asked = command("run", clip, "-o", tmp_path / "out", "--executor", "local")
    words = subprocess.list2cmdline(asked)
    subprocess.run(["/bin/sh", "-c", f"{words} {closed}"], check=True, timeout=120)
    folder = tmp_path / "out" / "clip.mp4"
    assert (summary(folder)["status"], file_names(folder)) == ("complete", RESULTS)


def test_names_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "日本.mp4", frames=5)
    outcome = subprocess.run(
        command("run", clip, "-o", tmp_path / "out", "--executor", "local", "--no-video"),
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        capture_output=True, encoding="cp1252", check=True, timeout=120,
    )  # fmt: skip
    assert r"\u65e5\u672c.mp4" in outcome.stdout
