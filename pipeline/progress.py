"""Show the progress of videos, live streams and trainings: on a terminal, or in lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    track,
)
from rich.table import Column, Table
from rich.text import Text

from configs.names import printable
from pipeline.results.summary import Summary
from pipeline.run.executor import Reporter
from pipeline.sources import Job
from pipeline.terminal import STATUS_STYLES, error_line
from stages.batch import VideoInfo

if TYPE_CHECKING:
    from pipeline.live.stream import StreamStatus
    from pipeline.live.supervisor import Supervisor

PLAIN_INTERVAL_S = 5.0

NARROW_COLUMNS = 70
"""A narrower terminal has room for less."""

T = TypeVar("T")


class TerminalReporter(Reporter):
    """A bar for all videos, and below it one for each current video, as many as there is room for.

    A video that is not complete is named above them as soon as it is done.
    """

    def __init__(self, console: Console, videos: int) -> None:
        self._videos, self._done, self._failed = videos, 0, 0
        self._shares: dict[Job, float] = {}
        self._tasks: dict[Job, TaskID] = {}
        self._bars = _Bars(console)
        self._all = self._bars.add_task("starting", total=None, unit="")
        self._lock = Lock()

    def __enter__(self) -> TerminalReporter:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def started(self, job: Job, info: VideoInfo) -> None:
        with self._lock:
            if job in self._tasks:
                self._bars.remove_task(self._tasks[job])
            self._shares[job] = 0.0
            self._tasks[job] = self._bars.add_task(
                job.name, total=info.frames or None, unit="frames"
            )
            self._show_all()

    def advanced(self, job: Job, frames: int) -> None:
        with self._lock:
            task = self._bars.tasks[self._bars.task_ids.index(self._tasks[job])]
            self._bars.update(task.id, completed=frames)
            self._shares[job] = (task.percentage or 0.0) / 100
            self._show_all()

    def finished(self, job: Job, summary: Summary) -> None:
        with self._lock:
            if job in self._tasks:
                self._bars.remove_task(self._tasks.pop(job))
            self._shares.pop(job, None)
            self._done += 1
            self._failed += summary.status == "failed"
            self._show_all()
        if summary.status != "complete":
            self._bars.console.print(_problem(summary), soft_wrap=True)

    def warned(self, warning: str) -> None:
        self._bars.console.print(error_line(warning), soft_wrap=True)

    def _show_all(self) -> None:
        """Videos that are under way count by their shares, so that the time left is known soon."""
        failed = f", {self._failed} failed" if self._failed else ""
        self._bars.update(
            self._all,
            description=f"{self._done} of {self._videos}{failed}",
            total=self._videos,
            completed=self._done + sum(self._shares.values()),
        )


class _Bars(Progress):
    """Bars that stay within the window, whatever its size."""

    def __init__(self, console: Console) -> None:
        self._window = console
        super().__init__(console=console, expand=True, speed_estimate_period=600)

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        wide = self._window.width >= NARROW_COLUMNS
        name = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        self.columns = (
            TextColumn("{task.description}", markup=False, table_column=name),
            BarColumn(bar_width=24 if wide else 8),
            TaskProgressColumn(),
            *([_RateColumn()] if wide else []),
            TimeRemainingColumn(compact=True),
        )
        shown = list(tasks)
        room = max(1, self._window.height - 3)
        table = super().make_tasks_table(shown[:room])
        if len(shown) > room:
            table.add_row(Text(f"and {len(shown) - room} more", style="dim"))
        return table


class _RateColumn(ProgressColumn):
    """Frames per second."""

    def render(self, task: Task) -> Text:
        if not task.elapsed or task.fields["unit"] != "frames":
            return Text("")
        return Text(f"{task.completed / task.elapsed:5.0f}/s")


@dataclass
class _Progress:
    """When a video began, and when a line about it was last printed."""

    started_s: float
    printed_s: float
    total_frames: int


class PlainReporter(Reporter):
    """Lines at intervals, for log files."""

    def __init__(self, console: Console, videos: int) -> None:
        self._console = console
        self._videos, self._finished, self._started_s = videos, 0, monotonic()
        self._current: dict[Job, _Progress] = {}
        self._lock = Lock()
        self._say(f"starting, {videos} {'video' if videos == 1 else 'videos'} to analyse")

    def started(self, job: Job, info: VideoInfo) -> None:
        now_s = monotonic()
        self._current[job] = _Progress(now_s, now_s, info.frames)
        self._say(f"{job.name}: started, about {info.frames} frames")

    def advanced(self, job: Job, frames: int) -> None:
        progress, now_s = self._current[job], monotonic()
        if now_s - progress.printed_s >= PLAIN_INTERVAL_S:
            progress.printed_s = now_s
            if not frames:  # It is read up to the part that is analysed.
                self._say(f"{job.name}: reading up to the part")
                return
            rate = frames / (now_s - progress.started_s)
            left_s = max(0, progress.total_frames - frames) / rate
            self._say(f"{job.name}: {frames} frames, {rate:.0f} frames/s, {left_s:.0f} s left")

    def finished(self, job: Job, summary: Summary) -> None:
        if summary.status == "complete":
            self._say(f"{job.name}: complete, {summary.frames} frames")
        else:
            self._say(_problem(summary))
        with self._lock:
            self._finished += 1
            finished = self._finished
        if self._videos > 1:
            per_minute = 60 * finished / max(1e-3, monotonic() - self._started_s)
            left_min = (self._videos - finished) / per_minute
            self._say(
                f"{finished} of {self._videos} videos, {per_minute:.1f} a minute, "
                f"{left_min:.0f} min left"
            )

    def warned(self, warning: str) -> None:
        self._say(error_line(warning))

    def _say(self, line: str | Text) -> None:
        with self._lock:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _problem(summary: Summary) -> Text:
    return Text(
        printable(f"{summary.source}: {summary.status}: {summary.reason}"),
        style=STATUS_STYLES[summary.status],
    )


@contextmanager
def progress_shown(console: Console, videos: int) -> Iterator[Reporter]:
    """A reporter that shows the progress of so many videos, as fits the console."""
    if console.is_terminal:
        with TerminalReporter(console, videos) as reporter:
            yield reporter
    else:
        yield PlainReporter(console, videos)


@contextmanager
def status_table(console: Console, supervisor: Supervisor) -> Iterator[None]:
    """Show a table of the streams, kept up to date, if the console is a terminal."""
    if not console.is_terminal:
        yield
        return

    class Statuses:
        def __rich__(self) -> Table:
            return _table(supervisor.statuses())

    with Live(Statuses(), console=console, refresh_per_second=2):
        yield


def _table(statuses: Sequence[StreamStatus]) -> Table:
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


@contextmanager
def training_progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """A progress bar over all epochs, with the time left, if the console is a terminal."""
    columns = (
        TextColumn("training"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    # Speed is estimated over an hour, as epochs end with a pause for scoring.
    with Progress(
        *columns, console=console, disable=not console.is_terminal, speed_estimate_period=3600
    ) as bar:
        task = bar.add_task("training", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def shown_while_done(console: Console, what: str, items: Sequence[T]) -> Iterator[T]:
    """Goes through items, with a progress bar if the console is a terminal."""
    yield from track(items, what, console=console, disable=not console.is_terminal, transient=True)
