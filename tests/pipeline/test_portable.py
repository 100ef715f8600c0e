"""What only POSIX systems have is not needed to analyse files in one process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.command import ROOT, summary


def python(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


def test_files_are_analysed_without_what_only_posix_has(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    clip = samples["single_face.mp4"]
    outcome = python(
        "-m", "tests.pipeline.without_posix",
        "run", clip, "-o", tmp_path, "--executor", "local", "--export", "all",
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    facts = summary(tmp_path / clip.name)
    assert facts["status"] == "complete"
    assert {"annotated.mp4", "timeline.parquet", "report.html"} <= set(facts["files"])


@pytest.mark.parametrize(
    "code",
    ["import fcntl", "import os; os.fork()", "from signal import SIGKILL", "open('/dev/shm/any')"],
)
def test_that_test_would_notice(code: str) -> None:
    ours = f"exec({code!r}, {{'__name__': 'pipeline.sources'}})"
    outcome = python("-c", f"import tests.pipeline.without_posix; {ours}")
    assert outcome.returncode == 1
    assert "is hidden" in outcome.stderr or "cannot import name" in outcome.stderr
