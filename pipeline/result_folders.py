"""Which folder the results of a video or a live stream go to.

A folder with results belongs to their source, today and in later runs. Another source of the same
name gets a folder with a number, and so does each recording of a live stream.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path

from configs.names import as_text
from stages.write.files import output_errors_name

SUMMARY, TABLE, REPORT = "summary.json", "timeline.csv", "report.html"
"""In a video's folder."""

LEDGER, INDEX, STUDY = "batch.json", "index.html", "study.json"
"""In the output folder."""

FIRST_COLUMNS = b"frame,time_s,track,"
"""With which our tables begin."""

ANOTHER_PROGRAM = "another program"
LONGEST_NAME_BYTES = 255
NUMBER = re.compile(r"-\d+(?=(\.[^.]*)?$)")
"""At the end of a folder's name, before its suffix."""


class ResultFolders:
    """Gives each source a folder of its own: the one with its results, or one that is free."""

    def __init__(self) -> None:
        self._taken: set[Path] = set()
        self._numbered: dict[Path, dict[str, list[Path]]] = {}

    def take(self, source: Path, wished: Path) -> Path:
        """The folder for the results of a file, taken from now on."""
        place = place_of(source)
        numbered = self._numbered_in(wished.parent)
        there = (wished, *numbered.get(_without_number(_with_number(wished, 2)), []))
        own = [folder for folder in there if owner_of(folder) == place]
        numbers = (_with_number(wished, number) for number in count(2))
        left = (each for each in chain(own, [wished], numbers) if each not in self._taken)
        chosen = next(folder for folder in left if folder in own or _is_free(folder))
        self._taken.add(chosen)
        return chosen

    def _numbered_in(self, parent: Path) -> dict[str, list[Path]]:
        """The folders whose names end in a number, by the name without it."""
        if parent not in self._numbered:
            self._numbered[parent] = defaultdict(list)
            for folder in sorted(parent.glob("*")):
                if NUMBER.search(folder.name):
                    self._numbered[parent][_without_number(folder)].append(folder)
        return self._numbered[parent]


def take_folder(wished: Path) -> Path:
    """Make a folder for a recording: this one, or one with a number if there is one already.

    It is made at once, so that nobody else takes it, whoever asks at the same time.

    Raises:
        OutputError: it cannot be made.
    """
    with output_errors_name(wished):
        wished.parent.mkdir(parents=True, exist_ok=True)
        return next(filter(_is_made, map(wished.with_name, with_numbers(wished.name))))


def with_numbers(name: str) -> Iterator[str]:
    """The name itself, then with numbers from 2."""
    return chain([name], (f"{name}-{number}" for number in count(2)))


def place_of(source: Path) -> str:
    """Where a file is: absolute, and without links on the way to it."""
    return as_text(source.parent.resolve() / source.name)


def owner_of(folder: Path) -> str | None:
    """The place of the file whose results are in a folder; None without results.

    A summary that was destroyed counts as none; another program's makes it the owner.
    """
    try:
        values = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    try:
        source, _ = values["source"], values["settings"]
        return (values.get("input") or {}).get("path") or place_of(Path(source))
    except (AttributeError, KeyError, TypeError):
        return ANOTHER_PROGRAM


def has_results(folder: Path) -> bool:
    """Whether a folder holds results of ours, also if their making was cut short."""
    if owner_of(folder) not in (None, ANOTHER_PROGRAM):
        return True
    try:
        with (folder / TABLE).open("rb") as table:
            return table.read(len(FIRST_COLUMNS)) == FIRST_COLUMNS
    except OSError:
        return False


def folders_with_summaries(out: Path) -> Iterator[Path]:
    """The folders below an output folder that have a summary, of ours or of another program."""
    for name, below, files in os.walk(out):
        below[:] = [folder for folder in sorted(below) if not folder.startswith(".")]
        if SUMMARY in files:
            yield Path(name)


def name_in(out: Path, folder: Path) -> str:
    """What a video is called in tables, by its folder below an output folder."""
    place = folder.relative_to(out)
    return as_text(place.as_posix() if place.parts else folder.resolve().name)


def _with_number(wished: Path, number: int) -> Path:
    """With a number before its suffix; a name that would be too long loses the end before it."""
    stem, ending = wished.stem, f"-{number}{wished.suffix}"
    while len(os.fsencode(stem + ending)) > LONGEST_NAME_BYTES:
        stem = stem[:-1]
    return wished.with_name(stem + ending)


def _without_number(folder: Path) -> str:
    """The same for all numbers that ``_with_number`` gives a folder."""
    return NUMBER.sub("", folder.name)


def _is_made(folder: Path) -> bool:
    """Whether a folder could be made, as there was none."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def _is_free(folder: Path) -> bool:
    return owner_of(folder) is None and (folder.is_dir() or not folder.exists())
