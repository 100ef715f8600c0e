"""Show the progress of videos and trainings: bars on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from configs.names import printable
from pipeline.results.summary import Summary
from pipeline.run.reporter import Reporter
from pipeline.sources import Job
from pipeline.terminal import STATUS_STYLES, error_line
from stages.batch import VideoInfo

PLAIN_INTERVAL_S = 5.0


class TerminalReporter(Reporter):
    """A progress bar for each current video, and one for all videos."""

    def __init__(self, console: Console, videos: int) -> None:
        self._videos, self._failed = videos, 0
        self._all: TaskID | None = None
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:>6.0f} {task.fields[unit]}"),
            _RateColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            speed_estimate_period=600,
        )
        self._tasks: dict[Job, TaskID] = {}
        self._starting: TaskID | None = None
        self._lock = Lock()

    def __enter__(self) -> TerminalReporter:
        self._progress.start()
        self._starting = self._progress.add_task("starting", total=None, unit="frames")
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def started(self, job: Job, info: VideoInfo) -> None:
        self._end_of_start()
        if job in self._tasks:
            self._progress.remove_task(self._tasks[job])
        self._tasks[job] = self._progress.add_task(
            job.name, total=info.frames or None, unit="frames"
        )

    def advanced(self, job: Job, frames: int) -> None:
        self._progress.update(self._tasks[job], completed=frames)

    def finished(self, job: Job, summary: Summary) -> None:
        self._end_of_start()
        with self._lock:
            if job in self._tasks:
                self._progress.remove_task(self._tasks.pop(job))
            self._failed += summary.status == "failed"
            failed = f", {self._failed} failed" if self._failed else ""
            assert self._all is not None
            self._progress.update(self._all, advance=1, description=f"all{failed}")
        if summary.status != "complete":
            self._progress.console.print(_problem(summary), soft_wrap=True)

    def warned(self, warning: str) -> None:
        self._progress.console.print(error_line(warning), soft_wrap=True)

    def _end_of_start(self) -> None:
        with self._lock:
            if self._starting is not None:
                self._progress.remove_task(self._starting)
                self._starting = None
                self._all = self._progress.add_task("all", total=self._videos, unit="videos")


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        rate = task.completed / task.elapsed if task.elapsed else 0.0
        if task.fields["unit"] == "videos":
            return Text(f"{rate * 60:6.1f}/min")
        return Text(f"{rate:5.0f}/s")


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
