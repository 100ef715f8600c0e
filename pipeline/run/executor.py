"""Choose the executor: Ray, or this process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Event

from configs.schema import Settings
from pipeline.results.summary import Provenance
from pipeline.run.reporter import Reporter
from pipeline.sources import Job


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


def begun(jobs: Sequence[Job], settings: Settings, verbose: bool) -> AbstractContextManager[None]:
    """Start in a thread what ``run`` needs, which may follow, while the caller gets ready for it.

    Only for the command line, whose process does nothing but this.
    """
    if not jobs or settings.executor.kind == "local" or settings.executor.address is not None:
        return nullcontext()
    from pipeline.run.ray_cluster import lanes_at_most
    from pipeline.run.ray_start import start_begun

    return start_begun(settings, lanes_at_most(len(jobs), settings), verbose)


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
