"""A batch: the videos of one run, which share an output folder and a ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from configs.schema import Settings
from pipeline.results.renew import renew
from pipeline.results.summary import Provenance, Summary
from pipeline.run import executor
from pipeline.run.executor import Reporter
from pipeline.run.ledger import (
    Annotations,
    Ledger,
    LedgerReporter,
    Redo,
    Split,
    only_run_in,
    split,
)
from pipeline.sources import Job


class Batch:
    """The videos of one run; made by ``open_batch``.

    Attributes:
        split: what is to do, and what is done.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        out: Path,
        settings: Settings,
        provenance: Provenance,
        redo: Redo,
        annotations: Annotations,
    ) -> None:
        self._settings, self._provenance = settings, provenance
        self._annotations = annotations
        self._jobs = annotations.with_events(jobs)
        self.split: Split = split(self._jobs, provenance, redo)
        self._ledger = Ledger(out, self._jobs, self.split.kept, provenance, annotations)

    @property
    def summaries(self) -> dict[Job, Summary]:
        """Of all videos that are done so far, in the order given."""
        done = self._ledger.summaries
        return {job: done[job] for job in self._jobs if job in done}

    def run(self, reporter: Reporter, stop: Event, verbose: bool = False) -> None:
        """Analyse what is to do; arguments and errors are those of ``executor.analyse``.

        Raises:
            OutputError: the ledger cannot be written; the videos' own results are not affected.
        """
        reporter = LedgerReporter(reporter, self._ledger)
        try:
            for job, found in self.split.renewable.items():
                names = self._annotations.names(job.folder, found[0])
                renewed = renew(job.folder, found, self._settings, names, job.events)
                reporter.finished(job, renewed)
            left = [job for job in self.split.todo if job not in self.split.renewable]
            if left:
                Thread(target=self._annotations.prepare).start()
                executor.analyse(
                    executor.Run(left, self._settings, self._provenance, reporter, stop, verbose)
                )
        finally:
            self._ledger.write()
            self._annotations.write_tables()


@contextmanager
def open_batch(
    jobs: Sequence[Job],
    out: Path,
    settings: Settings,
    provenance: Provenance,
    redo: Redo,
    annotations: Annotations,
) -> Iterator[Batch]:
    """Lock the output folder, and find out what is to do there.

    Args:
        redo: which videos to analyse although they have results.
        annotations: of the results in the folder.

    Raises:
        UsageError: another run is at work in the folder.
        OutputError: it cannot be made or written to.
    """
    with only_run_in(out):
        batch = Batch(jobs, out, settings, provenance, redo, annotations)
        if not batch.split.todo:
            annotations.write_tables()
        yield batch
