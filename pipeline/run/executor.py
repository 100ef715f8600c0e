"""Choose the executor: Ray, or this process."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from configs.schema import Settings
from pipeline.results.summary import Provenance
from pipeline.run.reporter import Reporter
from pipeline.sources import Job


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
