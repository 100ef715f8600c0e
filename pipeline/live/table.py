"""How live streams are doing, as a table on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.live.stream import StreamStatus
from pipeline.live.supervisor import Supervisor


@contextmanager
def live_figures(console: Console, supervisor: Supervisor) -> Iterator[None]:
    """A table of the streams, kept up to date; nothing where nobody watches."""
    if not console.is_terminal:
        yield
        return

    class Figures:
        def __rich__(self) -> Table:
            return _figures_of(supervisor.statuses())

    with Live(Figures(), console=console, refresh_per_second=2):
        yield


def _figures_of(statuses: Sequence[StreamStatus]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("stream", "state", "frames", "frames/s", "latency", "dropped", "lost"):
        table.add_column(title, justify="left" if title in ("stream", "state") else "right")
    for status in statuses:
        table.add_row(
            Text(status.name),
            Text(status.state, style="green" if status.state == "live" else "yellow"),
            str(status.frames),
            f"{status.frames_per_s:.1f}",
            f"{status.latency_p95_ms:.0f} ms",
            str(status.dropped),
            str(status.lost),
        )
    return table
