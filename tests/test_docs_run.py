"""What the pages about pandas, R and ELAN say to type, typed."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.pipeline.command import run

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
