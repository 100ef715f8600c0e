"""What a terminal gets: lines, errors, tables, and the exit status."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from configs.addresses import hide_addresses
from configs.errors import explain
from configs.names import printable

if TYPE_CHECKING:
    from pipeline.results.summary import Summary
    from pipeline.sources import Job, Stream

DONE, SOME_FAILED, WRONG_COMMAND, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""

NARROW = 60
"""Characters in a line, below which names of videos need the room."""

LEFT = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO}
"""Errors of a stream that nobody will read any more."""


class Output:
    """A standard stream that may be absent, or fail; the analysis goes on.

    If its reader left, as ``head`` does, or its terminal is lost, what is printed from then on is
    lost. If it goes to a file on a full disk, it goes on once there is room again. If it cannot
    hold a letter of a name, another one stands for it.
    """

    def __init__(self, name: Literal["stdout", "stderr"]) -> None:
        self._name = name

    @property
    def _stream(self) -> TextIO:
        return getattr(sys, self._name) or _nobody()

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._stream, attribute)

    def write(self, text: str) -> int:
        with self._without_reader():
            try:
                self._stream.write(text)
            except UnicodeEncodeError as error:
                shown = text.encode(error.encoding, "backslashreplace").decode(error.encoding)
                self._stream.write(shown)
        return len(text)

    def flush(self) -> None:
        with self._without_reader():
            self._stream.flush()

    def close(self) -> None:
        """Print what is still in the stream's buffer, if it can be: the program ends."""
        try:
            self._stream.flush()
        except OSError:
            self._give_up()

    @contextmanager
    def _without_reader(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in LEFT:
                self._give_up()

    def _give_up(self) -> None:
        # What is still in the stream's buffer goes there, too, when the program ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@cache
def _nobody() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def open_closed_streams() -> None:
    """Open the standard streams that are closed, as some schedulers leave them, for nobody.

    Otherwise files of ours would get their numbers, and what libraries print.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # The lowest that is free.
    sys.stdout, sys.stderr = sys.stdout or _nobody(), sys.stderr or _nobody()


outputs = Output("stdout"), Output("stderr")
out_console = Console(file=cast(TextIO, outputs[0]))
err_console = Console(file=cast(TextIO, outputs[1]), stderr=True)

STATUS_STYLES = {"complete": "green", "partial": "yellow", "failed": "red"}


def say(line: str) -> None:
    out_console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def say_error(problem: object) -> None:
    err_console.print(error_line(problem), soft_wrap=True)


def say_note(note: object) -> None:
    """Something to know that is no error, on standard error."""
    err_console.print(Text(printable(f"note: {note}"), style="yellow"), soft_wrap=True)


@contextmanager
def deaths_of_threads_reported() -> Iterator[None]:
    """Print why a thread ended, whichever it is, if by an error that nothing else notices."""
    before = threading.excepthook

    def tell(death: threading.ExceptHookArgs) -> None:
        name = death.thread.name if death.thread else "a thread"
        say_error(f"{name} ended: {explain(death.exc_value or death.exc_type())}")

    threading.excepthook = tell
    try:
        yield
    finally:
        threading.excepthook = before


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


def score_table(result: dict[str, Any]) -> Table:
    """Precision and recall of each emotion."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("emotion", "precision", "recall", "faces"):
        table.add_column(title, justify="left" if title == "emotion" else "right")
    for emotion, figures in result["per_class"].items():
        table.add_row(emotion, f"{figures['precision']:.3f}", f"{figures['recall']:.3f}",
                      str(figures["n"]))  # fmt: skip
    return table


def closing_table(
    out: Path, summaries: Sequence[tuple[Job | Stream, Summary]], width: int
) -> Table:
    """Status, counts and folder of each video or stream.

    Args:
        width: of the window, in characters; a narrow one has fewer counts.
    """
    counts = {"frames": "frames", "faces": "faces", "people": "tracks"}
    if width < NARROW:
        counts = {"people": "tracks"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("video", overflow="fold")
    table.add_column("status", no_wrap=True)
    for title in counts:
        table.add_column(title, justify="right")
    for job, summary in summaries:
        table.add_row(
            Text(printable(job.folder.relative_to(out))),
            Text(summary.status, style=STATUS_STYLES[summary.status]),
            *(str(getattr(summary, count)) for count in counts.values()),
        )
    return table
