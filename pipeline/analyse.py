"""The main job, from what is to be analysed to the exit status."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from threading import Event

from configs.errors import EmotionTimelinesError, OutputError, RayLostError
from configs.schema import Settings
from pipeline import local_executor
from pipeline.batch import NOT_DONE_YET, BatchRecord, Recording, Redo, only_run_in, split
from pipeline.plan import load_network
from pipeline.progress import Reporter, closing_table, live_figures, make_reporter
from pipeline.sources import Job, Stream
from pipeline.summary import Provenance
from pipeline.supervisor import Supervisor, ThreadWorker, Worker
from pipeline.terminal import err_console, out_console, say, say_error

DONE, SOME_FAILED, WRONG_COMMAND, INTERRUPTED = 0, 1, 2, 130


def analyse_videos(
    jobs: list[Job],
    problems: Sequence[EmotionTimelinesError],
    out: Path,
    settings: Settings,
    redo: Redo,
    verbose: bool,
) -> int:
    """Run the pipeline over videos and say what came of it; returns the exit status.

    Args:
        problems: sources in which there is no video.
        redo: what to do with videos that have results.
    """
    if verbose:
        logging.basicConfig(level=logging.DEBUG)
    for problem in problems:
        say_error(problem)
    if not jobs:
        return SOME_FAILED
    provenance = Provenance.of(settings, load_network(settings))
    stop = _stop_signals()
    with only_run_in(out):
        todo, kept, reasons = split(jobs, provenance, redo)
        for reason, count in reasons.items():
            if reason != NOT_DONE_YET:
                say(f"{count} done again: {reason}")
        if kept:
            say(f"{len(kept)} left as they are; --redo does them again")
        record = BatchRecord(out, jobs, kept, provenance)
        if todo:
            try:
                with ExitStack() as stack:
                    reporter = Recording(make_reporter(err_console, stack, len(todo)), record)
                    _execute(todo, settings, provenance, reporter, stop, verbose)
            except RayLostError as error:
                problems = [*problems, error]
                say_error(error)
        try:
            record.write()
        except OutputError as error:
            problems = [*problems, error]
            say_error(error)
    summaries = {job: record.summaries[job] for job in jobs if job in record.summaries}
    out_console.print(closing_table(out, list(summaries.items())))
    say(f"results: {out}/<video>/")
    if stop.is_set():
        say_error("interrupted; what was done is kept")
        return INTERRUPTED
    complete = all(summary.status == "complete" for summary in summaries.values()) and not problems
    return DONE if complete else SOME_FAILED


def _execute(
    jobs: list[Job],
    settings: Settings,
    provenance: Provenance,
    reporter: Reporter,
    stop: Event,
    verbose: bool,
) -> None:
    if settings.executor.kind == "local":
        local_executor.run(jobs, settings, provenance, reporter, stop)
        return
    from pipeline import ray_executor  # Importing Ray takes time; local does without.

    ray_executor.run(jobs, settings, provenance, reporter, stop, verbose)


def watch_streams(
    streams: list[Stream], out: Path, settings: Settings, show: bool, verbose: bool
) -> int:
    """Analyse live streams until they end, and say what came of it; returns the exit status."""
    if verbose:
        logging.basicConfig(level=logging.DEBUG)
    provenance = Provenance.of(settings, load_network(settings))
    stop = _stop_signals()
    with ExitStack() as stack:
        start_worker = stack.enter_context(stream_starter(settings, verbose))
        supervisor = Supervisor(streams, provenance, start_worker, say)
        if show:
            from pipeline.page import page_served

            say(f"watch at {stack.enter_context(page_served(supervisor, settings.page))}")
        stack.enter_context(live_figures(err_console, supervisor))
        results = supervisor.run(stop)
    out_console.print(closing_table(out, results))
    say(f"results: {out}/<stream>/")
    if stop.is_set():
        say_error("interrupted; every file is complete")
        return INTERRUPTED
    return DONE if all(summary.status == "complete" for _, summary in results) else SOME_FAILED


def stream_starter(
    settings: Settings, verbose: bool
) -> AbstractContextManager[Callable[[Stream, Provenance], Worker]]:
    """What starts live streams with the executor that the settings name."""
    if settings.executor.kind == "local":
        return nullcontext(ThreadWorker)
    from pipeline.ray_streams import stream_workers  # Importing Ray takes time.

    return stream_workers(settings, verbose)


def _stop_signals() -> Event:
    """An event that Ctrl-C and SIGTERM set; a second one leaves at once."""
    stop = Event()

    def ask_to_stop(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        # What the shell has switched off, as for a job in the background, stays off.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, ask_to_stop)
    return stop
