"""The documentation names only what there is: files, commands, options, settings and columns."""

from __future__ import annotations

import csv
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from configs.schema import Settings
from pipeline.cli import app
from pipeline.results import segments
from pipeline.results.exports.writers import EXPORTS
from pipeline.results.folder import RESULTS
from pipeline.results.summary import Provenance, Summary
from stages.columns import TIMELINE, column_names, raw_columns
from tests.pipeline.command import run

ROOT = Path(__file__).parents[1]
README, OUTPUTS = ROOT / "README.md", ROOT / "docs" / "outputs.md"
PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "models" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
MAX_README_WORDS = 1200

COMMAND = typer.main.get_command(app)
assert isinstance(COMMAND, TyperGroup)
SUBCOMMANDS = COMMAND.commands
OPTIONS = {"--help"} | {
    option
    for command in (COMMAND, *SUBCOMMANDS.values())
    for parameter in command.params
    for option in parameter.opts
}
CALL = re.compile(r"(\S*[/\\])?(emotion-timelines|(python )?run_pipeline\.py) (?P<arguments>\S.*)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_spans(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def calls(page: Path) -> list[list[str]]:
    """Arguments of each call of the command, in a line or a code span of its own."""
    text = text_of(page)
    found = map(CALL.fullmatch, [line.strip() for line in text.splitlines()] + code_spans(text))
    return [shlex.split(match["arguments"], comments=True) for match in found if match]


def table_after(heading: str, page: Path) -> list[list[str]]:
    """Names in backticks of the first table after a heading: a list for each row's first cell."""
    below = text_of(page).partition(f"{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table, f"{page.name}: no table after {heading}"
    return [code_spans(line.split("|")[1]) for line in table.group().splitlines()[2:]]


def names_after(heading: str) -> list[str]:
    """All names in the first column of that table in the page about files and columns."""
    return [name for row in table_after(heading, OUTPUTS) for name in row]


def test_readme_is_short() -> None:
    assert len(text_of(README).split()) <= MAX_README_WORDS


@each_page
def test_links_and_pictures_exist(page: Path) -> None:
    for target in re.findall(r"\]\((?!https://)([^)\s]+)\)", text_of(page)):
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", text_of(linked), re.MULTILINE)
            slugs = [re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles]
            assert anchor in slugs, target


@each_page
def test_commands_are_accepted(page: Path) -> None:
    for name, *arguments in calls(page):
        if name not in OPTIONS:
            SUBCOMMANDS[name].make_context(name, arguments)  # Parses, and runs nothing.


@each_page
def test_options_exist(page: Path) -> None:
    for span in code_spans(text_of(page)):
        first = span.split()[0]
        if first.startswith("-") or first in SUBCOMMANDS:
            named = re.findall(r"(?<!\S)--?[a-z][a-z-]*", span)
            assert set(named) <= OPTIONS, span


@each_page
def test_settings_exist(page: Path) -> None:
    for section, settings in Settings.model_fields.items():
        known = settings.annotation.model_fields
        for span in code_spans(text_of(page)):
            # Not a file, such as segments.csv or track.py.
            for key in re.findall(rf"(?<![\w/]){section}\.(?!csv|json|py\b)(\w+)", span):
                assert key in known, span


def test_columns_are_the_real_ones() -> None:
    raw = column_names(raw_columns(TIMELINE))
    assert names_after("## `timeline.csv`") == [*column_names(TIMELINE), raw[0], raw[-1]]
    assert names_after("## `segments.csv`") == column_names(segments.COLUMNS)


def test_keys_of_the_summary_are_the_real_ones() -> None:
    real = {field.name for made in (Summary, Provenance) for field in fields(made)}
    assert set(names_after("## `summary.json`")) == real


def test_files_are_the_real_ones() -> None:
    assert set(names_after("# Files and columns")) == {name for name in RESULTS if "*" not in name}
    assert [f"timeline.{name}" for name in names_after("## Exports")] == list(EXPORTS)


def example_rows(first_column: str) -> list[dict[str, str]]:
    """Rows of the table in the README that begins with that column."""
    table = re.search(rf"^\| {first_column} \|.*\n(?:\|.*\n)+", text_of(README), re.MULTILINE)
    assert table, first_column
    lines = [line.strip("|").split("|") for line in table.group().splitlines()]
    header, _, *shown = [[cell.strip() for cell in cells] for cells in lines]
    return [dict(zip(header, cells, strict=True)) for cells in shown]


def alike(shown: str, real: str) -> bool:
    """Whether two cells are equal, but for how processors differ."""
    try:
        return float(shown) == pytest.approx(float(real), rel=0.01, abs=0.02)
    except ValueError:
        return shown == real


def test_rows_in_the_readme_are_those_of_a_run(samples: dict[str, Path], tmp_path: Path) -> None:
    clip = samples["single_face.mp4"]
    run("run", clip, "-o", tmp_path, "--executor", "local", "--no-video")
    for file, first_column in (("timeline.csv", "frame"), ("segments.csv", "track")):
        with (tmp_path / clip.name / file).open(newline="") as lines:
            real = list(csv.DictReader(lines))
        for row in example_rows(first_column):
            assert any(
                all(alike(value, other[column]) for column, value in row.items()) for other in real
            ), row
