"""Run videos with the executor of the settings: what it is given, and whom it tells of progress."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Event

from configs.schema import Settings
from pipeline.results.summary import Provenance, Summary
from pipeline.sources import Job
from stages.batch import VideoInfo


@dataclass(frozen=True)
class Run:
    """Videos to analyse, and how.

    Attributes:
        jobs: the videos; one that fails does not stop the others.
        stop: once set, the current videos are completed up to there, and no other is begun.
        verbose: show what Ray says.
    """

    jobs: Sequence[Job]
    settings: Settings
    provenance: Provenance
    reporter: Reporter
    stop: Event
    verbose: bool = False


def prestarted(
    jobs: Sequence[Job], settings: Settings, verbose: bool
) -> AbstractContextManager[None]:
    """Start in a thread what ``run`` needs, which may follow, while the caller gets ready for it.

    Only for the command line, whose process does nothing but this.
    """
    if not jobs or settings.executor.kind == "local" or settings.executor.address is not None:
        return nullcontext()
    from pipeline.run.ray_cluster import lanes_at_most
    from pipeline.run.ray_start import prestart

    return prestart(settings, lanes_at_most(len(jobs), settings), verbose)


def analyse(run: Run) -> None:
    """Analyse videos with the executor named in the settings; the reporter hears of each.

    Raises:
        UsageError: the cluster named in the settings cannot be joined.
        EmotionTimelinesError: Ray cannot be started, or died too often.
    """
    # Both are slow to import.
    if run.settings.executor.kind == "local":
        from pipeline.run import local_executor

        local_executor.analyse(run)
        return
    from pipeline.run import ray_executor

    ray_executor.analyse(run)


class Reporter:
    """Called for each video, from several threads. Does nothing itself; subclasses do."""

    def started(self, job: Job, info: VideoInfo) -> None:
        """A video was opened, perhaps a second time."""

    def advanced(self, job: Job, frames: int) -> None:
        """This many of its frames are recorded so far."""

    def finished(self, job: Job, summary: Summary) -> None:
        """A video is done, whether it succeeded or not."""

    def warned(self, warning: str) -> None:
        """Something the user should know happened; the run goes on."""
