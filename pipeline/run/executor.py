"""Choose the executor: Ray, or this process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Event

from configs.schema import Settings
from pipeline.results.summary import Provenance
from pipeline.run.reporter import Reporter
from pipeline.sources import Job


def begun(jobs: Sequence[Job], settings: Settings, verbose: bool) -> AbstractContextManager[None]:
    """Start in a thread what ``run`` needs, which may follow, while the caller gets ready for it.

    Only for the command line, whose process does nothing but this.
    """
    if not jobs or settings.executor.kind == "local" or settings.executor.address is not None:
        return nullcontext()
    from pipeline.run.ray_cluster import lanes_at_most
    from pipeline.run.ray_start import start_begun

    return start_begun(settings, lanes_at_most(len(jobs), settings), verbose)


def run(
    jobs: Sequence[Job],
    settings: Settings,
    provenance: Provenance,
    reporter: Reporter,
    stop: Event,
    verbose: bool = False,
) -> None:
    """Analyse the videos with the executor named in the settings; the reporter hears of each.

    Args:
        stop: once set, the current videos are completed up to there, and no other is begun.
        verbose: show what Ray says.

    Raises:
        UsageError: the cluster named in the settings cannot be joined.
        EmotionTimelinesError: Ray cannot be started, or died too often.
    """
    # Both are slow to import.
    if settings.executor.kind == "local":
        from pipeline.run import local_executor

        local_executor.run(jobs, settings, provenance, reporter, stop)
        return
    from pipeline.run import ray_executor

    ray_executor.run(jobs, settings, provenance, reporter, stop, verbose)
