"""Run the plan over videos, on Ray or in this process."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from configs.schema import Settings
from pipeline.results.summary import Provenance
from pipeline.run import local_executor
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
    """Analyse the videos with the executor that the settings name, and tell the reporter.

    Args:
        stop: once set, the videos under way are completed as far as they came, and no other begun.
        verbose: show what Ray says.

    Raises:
        UsageError: the cluster that the settings name cannot be joined.
        EmotionTimelinesError: Ray cannot be started, or died too often.
    """
    if settings.executor.kind == "local":
        local_executor.run(jobs, settings, provenance, reporter, stop)
        return
    from pipeline.run import ray_executor  # Importing Ray takes time; local does without.

    ray_executor.run(jobs, settings, provenance, reporter, stop, verbose)
