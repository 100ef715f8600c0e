"""``run`` and ``demo``: analyse videos and live streams."""

from __future__ import annotations

import signal
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from configs.errors import EmotionTimelinesError, OutputError, RayLostError, UsageError
from configs.load import load_settings
from pipeline.commands.options import (
    AddressOption,
    Blur,
    ConfigOption,
    ExecutorOption,
    Export,
    NetworkOption,
    NoVideo,
    Out,
    SetOption,
    Verbose,
    formats_in,
)
from pipeline.result_folders import INDEX, REPORT, SUMMARY
from pipeline.results.time_text import seconds_of
from pipeline.terminal import (
    DONE,
    INTERRUPTED,
    SOME_FAILED,
    closing_table,
    deaths_of_threads_reported,
    err_console,
    out_console,
    say,
    say_error,
    say_note,
    show_log,
)

STOPPING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""SIGHUP, which Windows does not know, comes when the terminal or its connection is lost."""

if TYPE_CHECKING:
    from configs.schema import Settings
    from pipeline.results.summary import Provenance, Summary
    from pipeline.run.ledger import Redo, Split
    from pipeline.sources import Job, Stream


def run(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Videos, folders, patterns; or cameras: a number, a URL, a YAML list of them.",
        ),
    ],
    out: Out = Path("timelines"),
    config: ConfigOption = None,
    assignments: SetOption = None,
    executor: ExecutorOption = None,
    address: AddressOption = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help="Your own network of expressions: .onnx, .tflite, .keras.",
        ),
    ] = None,
    networks: NetworkOption = None,
    export: Export = None,
    no_video: NoVideo = False,
    blur: Blur = False,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Of a folder, only files that match, e.g. '*.mp4'."),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Of a folder, no files that match.")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Leave out what is before, e.g. 90 or 1:30."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Leave out what is from then on."),
    ] = None,
    redo: Annotated[bool, typer.Option("--redo", help="Analyse again what is done.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Only analyse again what failed.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Live: serve a page, and print its address.")
    ] = False,
    duration_s: Annotated[
        float | None,
        typer.Option("--duration", metavar="SECONDS", help="Live: stop after this time."),
    ] = None,
    frames: Annotated[
        int | None, typer.Option("--frames", metavar="N", help="Live: stop after so many frames.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Analyse videos or live streams: a timeline, an annotated video and a summary each."""
    flags: dict[str, Any] = {
        "executor.kind": executor,
        "executor.address": address,
        "classify.model": model,
        "networks.files": networks,
        "export.formats": formats_in(export),
        "video.enabled": False if no_video else None,
        "video.blur": True if blur else None,
        "live.duration_s": duration_s,
        "live.frames": frames,
        "read.from_s": _seconds("--from", begin),
        "read.to_s": _seconds("--to", end),
    }
    from pipeline.sources import find_jobs, find_streams, is_camera_source

    settings = _with_runnable_models(load_settings(config, assignments or [], flags))
    streams = find_streams(sources, settings, out)
    if streams and len(sources) > sum(is_camera_source(source) for source in sources):
        raise UsageError("files and live streams need a command each: a stream may never end")
    live_options = {"--show": show, "--duration": duration_s, "--frames": frames}
    given = [name for name, value in live_options.items() if value]
    if given and not streams:
        raise UsageError(
            f"{given[0]} is for cameras and network streams; there is none in the command"
        )
    if streams:
        raise typer.Exit(_watch_streams(streams, out, settings, show, verbose))
    if redo and retry_failed:
        raise UsageError("--redo and --retry-failed exclude each other")
    what: Redo = "everything" if redo else "what failed" if retry_failed else "what is missing"
    pictures = settings.read.rate is not None
    found = find_jobs(sources, out, include or [], exclude or [], pictures)
    raise typer.Exit(_analyse(*found, out, settings, what, verbose))


def demo(
    out: Out = Path("demo"), executor: ExecutorOption = None, verbose: Verbose = False
) -> None:
    """Fetch five short sample clips, and analyse them."""
    from pipeline.samples import sample_clips
    from pipeline.sources import find_jobs

    settings = load_settings(flags={"executor.kind": executor})
    clips = [str(clip) for clip in sample_clips()]
    raise typer.Exit(_analyse(*find_jobs(clips, out), out, settings, "everything", verbose))


def _with_runnable_models(settings: Settings) -> Settings:
    if settings.classify.model is None and not settings.networks.files:
        return settings
    from pipeline.run.provenance import with_runnable_models

    return with_runnable_models(settings)


def _seconds(option: str, text: str | None) -> float | None:
    try:
        return None if text is None else seconds_of(text)
    except ValueError as error:
        raise UsageError(f"{option} {error}") from None


def _analyse(
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
    from pipeline.run import executor

    new = [job for job in jobs if redo == "everything" or not (job.folder / SUMMARY).exists()]
    with executor.prestarted(new, settings, verbose):
        # Meanwhile, as they take a while.
        from pipeline.progress import progress_shown
        from pipeline.run.provenance import provenance_of
        from pipeline.run.video_batch import open_batch
        from pipeline.study.annotations import FolderAnnotations

        if verbose:
            show_log()
        for problem in problems:
            say_error(problem)
        if not jobs:
            return SOME_FAILED
        stop, annotations = stop_on_signals(), FolderAnnotations(out)
        provenance = provenance_of(settings)
        with open_batch(jobs, out, settings, provenance, redo, annotations) as batch:
            _say_what_is_to_do(batch.split)
            if batch.split.todo:
                try:
                    with progress_shown(err_console, len(batch.split.todo)) as reporter:
                        batch.run(reporter, stop, verbose)
                except (RayLostError, OutputError) as error:
                    problems = [*problems, error]
                    say_error(error)
    _say_removed(annotations.removed)
    summaries = batch.summaries
    out_console.print(closing_table(out, list(summaries.items()), out_console.width))
    say(f"open {_page_of(out, summaries)}")
    if stop.is_set():
        say_error("interrupted; what was done is kept")
        return INTERRUPTED
    complete = all(summary.status == "complete" for summary in summaries.values()) and not problems
    return DONE if complete else SOME_FAILED


def _say_what_is_to_do(work: Split) -> None:
    from pipeline.run.ledger import NOT_DONE_YET

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


def _watch_streams(
    streams: list[Stream], out: Path, settings: Settings, show: bool, verbose: bool
) -> int:
    """Analyse live streams until they end, and print results; returns the exit status."""
    from pipeline.run.ledger import only_run_in
    from pipeline.run.provenance import provenance_of

    if verbose:
        show_log([stream.address for stream in streams])
    provenance = provenance_of(settings)
    stop = stop_on_signals()
    with only_run_in(out), deaths_of_threads_reported():
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
    from pipeline.live.supervisor import Supervisor
    from pipeline.live.workers import worker_starter
    from pipeline.progress import status_table

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
    from pipeline.study.annotations import FolderAnnotations

    annotations = FolderAnnotations(out)
    try:
        annotations.write_tables()
    except OutputError as error:
        say_error(error)
        return False
    _say_removed(annotations.removed)
    return True


def _say_removed(tables: Sequence[str]) -> None:
    if tables:
        say_note(
            f"removed {', '.join(tables)}, made of results that have changed since; the command "
            "export makes them again"
        )


def stop_on_signals() -> Event:
    """An event that these signals set; a second one exits at once.

    A signal that is ignored, as the shell does for background jobs and ``nohup`` for SIGHUP, stays
    ignored.
    """
    stop = Event()

    def ask_to_stop(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, ask_to_stop)
    return stop
