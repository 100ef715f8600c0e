"""What the command ``run`` does: analyse, show progress and results, give the exit status."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from configs.errors import EmotionTimelinesError, OutputError, RayLostError
from configs.schema import Settings
from pipeline.exit_status import DONE, INTERRUPTED, SOME_FAILED
from pipeline.places import INDEX, REPORT
from pipeline.progress import progress_shown
from pipeline.results.summary import Provenance, Summary
from pipeline.run.batch import open_batch
from pipeline.run.ledger import NOT_DONE_YET, Redo, Split, only_run_in
from pipeline.run.plan.networks import provenance_of
from pipeline.signals import stop_on_signals
from pipeline.sources import Job, Stream
from pipeline.study.annotations import FolderAnnotations
from pipeline.terminal import (
    closing_table,
    deaths_of_threads_told,
    err_console,
    out_console,
    say,
    say_error,
    show_log,
)


def analyse_videos(
    jobs: list[Job],
    problems: Sequence[EmotionTimelinesError],
    out: Path,
    settings: Settings,
    redo: Redo,
    verbose: bool,
) -> int:
    """Analyse videos, and print progress and results; returns the exit status.

    Args:
        problems: sources without a video.
        redo: which videos to analyse although they have results.
    """
    if verbose:
        show_log()
    for problem in problems:
        say_error(problem)
    if not jobs:
        return SOME_FAILED
    provenance = provenance_of(settings)
    stop = stop_on_signals()
    with open_batch(jobs, out, settings, provenance, redo, FolderAnnotations(out)) as batch:
        _say_what_is_to_do(batch.split)
        if batch.split.todo:
            try:
                with progress_shown(err_console, len(batch.split.todo)) as reporter:
                    batch.run(reporter, stop, verbose)
            except (RayLostError, OutputError) as error:
                problems = [*problems, error]
                say_error(error)
    summaries = batch.summaries
    out_console.print(closing_table(out, list(summaries.items()), out_console.width))
    say(f"open {_page_of(out, summaries)}")
    if stop.is_set():
        say_error("interrupted; what was done is kept")
        return INTERRUPTED
    complete = all(summary.status == "complete" for summary in summaries.values()) and not problems
    return DONE if complete else SOME_FAILED


def _say_what_is_to_do(work: Split) -> None:
    for reason, count in work.reasons.items():
        if reason != NOT_DONE_YET:
            say(f"{count} done again: {reason}")
    if work.kept:
        say(f"{len(work.kept)} left as they are; --redo does them again")
    for version, count in work.other_versions.items():
        say(f"{count} of them made by {version}; --redo renews them")


def _page_of(out: Path, summaries: Collection[Job]) -> Path:
    """The page that shows the results: the only video's report, or the index of all."""
    reports = [job.folder / REPORT for job in summaries if (job.folder / REPORT).exists()]
    return reports[0] if len(summaries) == len(reports) == 1 else out / INDEX


def watch_streams(
    streams: list[Stream], out: Path, settings: Settings, show: bool, verbose: bool
) -> int:
    """Analyse live streams until they end, and print results; returns the exit status."""
    if verbose:
        show_log([stream.address for stream in streams])
    provenance = provenance_of(settings)
    stop = stop_on_signals()
    with only_run_in(out), deaths_of_threads_told():
        results = _watch(streams, provenance, settings, show, verbose, stop)
        written = _tables_written(out)
    out_console.print(closing_table(out, results, out_console.width))
    say(f"results: {out}/<stream>/")
    complete = all(summary.status == "complete" for _, summary in results) and written
    if stop.is_set():
        what = "every file is complete" if complete else "what could be recorded is kept"
        say_error(f"interrupted; {what}")
        return INTERRUPTED
    return DONE if complete else SOME_FAILED


def _watch(
    streams: list[Stream],
    provenance: Provenance,
    settings: Settings,
    show: bool,
    verbose: bool,
    stop: Event,
) -> list[tuple[Stream, Summary]]:
    """Analyse live streams until they end; a summary for each recording."""
    # What only streams need is slow to import.
    from pipeline.live.supervisor import Supervisor
    from pipeline.live.table import status_table
    from pipeline.live.workers import worker_starter

    supervisor: Supervisor | None = None
    try:
        with ExitStack() as stack:
            start_worker = stack.enter_context(worker_starter(settings, verbose))
            supervisor = Supervisor(streams, provenance, start_worker, say)
            if show:
                from pipeline.live.page import page_served

                page = page_served(supervisor, settings.page, say)
                say(f"watch at {stack.enter_context(page)}")
            stack.enter_context(status_table(err_console, supervisor))
            return supervisor.run(stop)
    except RayLostError as error:
        if supervisor is None:
            raise
        say_error(error)
        return supervisor.save_recordings(str(error))


def _tables_written(out: Path) -> bool:
    """Write the tables over all results in the output folder; tells it if they cannot be."""
    try:
        FolderAnnotations(out).write_tables()
    except OutputError as error:
        say_error(error)
        return False
    return True
