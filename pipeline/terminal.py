"""Print to the terminal: lines, errors and tables."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TextIO, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from configs.addresses import hide_addresses
from configs.names import printable
from pipeline.results.summary import Summary
from pipeline.sources import Job, Stream


class Output:
    """A standard stream whose reader may leave, as ``head`` does, or a lost terminal.

    What is printed from then on is lost; the analysis goes on.
    """

    def __init__(self, name: Literal["stdout", "stderr"]) -> None:
        self._name = name

    @property
    def _stream(self) -> TextIO:
        return getattr(sys, self._name)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._stream, attribute)

    def write(self, text: str) -> int:
        with self._without_reader():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._without_reader():
            self._stream.flush()

    @contextmanager
    def _without_reader(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            # What is still in the stream's buffer goes there, too, when the program ends.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


out_console = Console(file=cast(TextIO, Output("stdout")))
err_console = Console(file=cast(TextIO, Output("stderr")), stderr=True)

STATUS_STYLES = {"complete": "green", "partial": "yellow", "failed": "red"}


def say(line: str) -> None:
    out_console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def say_error(problem: object) -> None:
    err_console.print(error_line(problem), soft_wrap=True)


def error_line(problem: object) -> Text:
    """How an error looks on the terminal."""
    return Text(printable(f"error: {problem}"), style="red")


class _WithoutSecrets(logging.Formatter):
    """Hides addresses in all that is logged, tracebacks included."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__(logging.BASIC_FORMAT)
        self._addresses = addresses

    def format(self, record: logging.LogRecord) -> str:
        return hide_addresses(super().format(record), self._addresses)


def show_log(addresses: Sequence[str] = ()) -> None:
    """Show the log of libraries, these addresses in it without secrets."""
    handler = logging.StreamHandler()
    handler.setFormatter(_WithoutSecrets(addresses))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])


def figures_table(rows: Sequence[Any]) -> Table:
    """A table of instances of one dataclass; its fields are the columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(asdict(rows[0])):
        table.add_column(
            name.replace("_", " "), justify="right" if number else "left", no_wrap=not number
        )
    for row in rows:
        values = asdict(row).values()
        table.add_row(*map(figure, values))
    return table


def figures_list(row: Any) -> Table:
    """A table of one instance of a dataclass, a line per field."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in asdict(row).items():
        table.add_row(name.replace("_", " "), figure(value))
    return table


def figure(value: float | str) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def score_table(result: dict[str, Any]) -> Table:
    """Precision and recall of each emotion."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("emotion", "precision", "recall", "faces"):
        table.add_column(title, justify="left" if title == "emotion" else "right")
    for emotion, figures in result["per_class"].items():
        table.add_row(emotion, f"{figures['precision']:.3f}", f"{figures['recall']:.3f}",
                      str(figures["n"]))  # fmt: skip
    return table


def closing_table(out: Path, summaries: Sequence[tuple[Job | Stream, Summary]]) -> Table:
    """Status, counts and folder of each video or stream."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("video", overflow="fold")
    table.add_column("status")
    for title in ("frames", "faces", "people"):
        table.add_column(title, justify="right")
    for job, summary in summaries:
        table.add_row(
            Text(printable(job.folder.relative_to(out))),
            Text(summary.status, style=STATUS_STYLES[summary.status]),
            *(str(count) for count in (summary.frames, summary.faces, summary.tracks)),
        )
    return table
