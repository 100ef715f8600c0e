"""Files may be called anything; their results are complete all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline import load
from tests.pipeline.command import RESULTS, command, file_names, run, summary

OPTIONS = ("--executor", "local")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"caf\xe9.mp4", r"caf\xe9.mp4"),
        (b"two\nlines.mp4", "two\nlines.mp4"),
        (b"2024-05-01T12:30:00.mp4", "2024-05-01T12:30:00.mp4"),
        (b"-x [red] $a$ #?%.mp4", "-x [red] $a$ #?%.mp4"),
    ],
)
def test_any_name_is_analysed(
    samples: dict[str, Path], tmp_path: Path, name: bytes, shown: str
) -> None:
    video = Path(os.fsdecode(name))
    shutil.copy(samples["no_face.mp4"], tmp_path / video)
    out = Path("run:1")
    asked = command("run", "-o", out, *OPTIONS, "--export", "all", "--", video)
    outcome = subprocess.run(asked, cwd=tmp_path, capture_output=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    folder = tmp_path / out / video
    assert file_names(folder) > RESULTS
    facts = summary(folder)
    assert (facts["status"], facts["source"]) == ("complete", shown)
    table = outcome.stdout.decode().splitlines()
    assert sum("complete" in line for line in table) == 1
    assert "Traceback" not in outcome.stderr.decode()
    assert set(load(tmp_path / out)["video"]) == {shown}
    again = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 left as they are" in again.stdout


@pytest.mark.ray
def test_rays_actors_take_any_name(samples: dict[str, Path], tmp_path: Path) -> None:
    video = tmp_path / os.fsdecode(b"caf\xe9 :1\n.mp4")
    shutil.copy(samples["no_face.mp4"], video)
    outcome = run("run", video, "-o", tmp_path / "out")
    assert outcome.returncode == 0, outcome.stderr
    assert file_names(tmp_path / "out" / video.name) == RESULTS


@pytest.mark.parametrize("source", ["x" * 300 + ".mp4", "y/" * 3000 + "a.mp4", "x" * 300 + "*"])
def test_names_that_are_too_long_are_explained(
    samples: dict[str, Path], tmp_path: Path, source: str
) -> None:
    outcome = run("run", source, samples["no_face.mp4"], "-o", tmp_path, *OPTIONS, "--no-video")
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr
    assert summary(tmp_path / "no_face.mp4")["status"] == "complete"
