"""What the pages about pandas, R and ELAN say to type, typed."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.pipeline.command import run
from tests.test_docs import alike

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def folder(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the results that the pages suppose, in ``timelines``."""
    folder = tmp_path_factory.mktemp("docs")
    for name, clip in (("interview.mp4", "single_face.mp4"), ("other.mov", "face_noface.mov")):
        shutil.copy(samples[clip], folder / name)
    options = ["--executor", "local", "--no-video", "--export", "parquet,eaf"]
    outcome = run("run", *folder.iterdir(), "-o", folder / "timelines", *options)
    assert outcome.returncode == 0, outcome.stderr
    return folder


def python_in(page: str) -> str:
    """The Python of a page: its indented blocks, but for commands."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    return "".join(textwrap.dedent(block) for block in blocks if "emotion-timelines " not in block)


@pytest.mark.parametrize(
    ("page", "printed"),
    [
        ("pandas.md", ["Distance between the eyes.", "other.mov", "none found"]),
        ("elan.md", ["600 2400 happy"]),
    ],
)
def test_python_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, page: str, printed: list[str]
) -> None:
    monkeypatch.chdir(folder)
    code, out = python_in(page), io.StringIO()
    assert code.count("\n") > 3
    with contextlib.redirect_stdout(out):
        exec(compile(code, page, "exec"), {})
    for words in printed:
        assert words in out.getvalue()


@pytest.mark.slow
def test_the_study_runs(
    samples: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--executor", "local", "--no-video"]
    assert not run("run", *samples.values(), "-o", tmp_path / "demo", *options).returncode
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "study.md").read_text(encoding="utf-8")
    for name, block in re.findall(r"^`(\w+\.csv)`.*:\n\n((?:    .*\n)+)", page, re.MULTILINE):
        (tmp_path / name).write_text(textwrap.dedent(block))
    calls = re.findall(r"^    emotion-timelines (export demo .*)$", page, re.MULTILINE)
    assert len(calls) == 1
    outcome = run(*calls[0].split())
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr == ""
    with (tmp_path / "demo" / "events.csv").open(newline="") as lines:
        rows = {(row["video"], row["event"]): row for row in csv.DictReader(lines)}
    (header, *shown) = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in re.findall(r"^\| (?:video|\S+\.m\w+) \|.*\n", page, re.MULTILINE)
    ]
    assert len(shown) == 4
    for cells in shown:
        row = rows[cells[0], "smile"]
        for name, cell in zip(header, cells, strict=True):
            # Which of many equally happy frames is happiest depends on the processor.
            assert name.startswith("peak_") or alike(cell, row[name]), (cells[0], name)
    _, start, code = python_in("study.md").partition("from emotion_timelines")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(start + code, {})
    assert "smile" in printed.getvalue()


@pytest.mark.parametrize(
    ("packages", "printed"),
    [
        ({"readr", "dplyr", "jsonlite"}, ["Distance between the eyes.", "none found"]),
        ({"arrow", "dplyr"}, ["valence"]),
    ],
)
def test_r_runs(folder: Path, packages: set[str], printed: list[str]) -> None:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not installed")
    there = " && ".join(f'requireNamespace("{name}", quietly=TRUE)' for name in packages)
    asked = [program, "-e", f"quit(status = !({there}))"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip(f"not all of these packages of R are installed: {', '.join(packages)}")
    text = (DOCS / "r.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```r\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    code = "\n".join(block for block in blocks if ("arrow" in block) == ("arrow" in packages))
    outcome = subprocess.run(
        [program, "-e", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    for words in printed:
        assert words in outcome.stdout
