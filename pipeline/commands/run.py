"""``run`` and ``demo``: analyse videos and live streams."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from configs.errors import UsageError
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
from pipeline.results.clock import seconds_of
from pipeline.run.ledger import Redo
from pipeline.run.plan import with_runnable_models
from pipeline.run_command import analyse_videos, watch_streams
from pipeline.samples import sample_clips
from pipeline.sources import find_jobs, find_streams, is_camera_source


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
    settings = load_settings(config, assignments or [], flags)
    settings = with_runnable_models(settings)
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
        raise typer.Exit(watch_streams(streams, out, settings, show, verbose))
    if redo and retry_failed:
        raise UsageError("--redo and --retry-failed exclude each other")
    what: Redo = "everything" if redo else "what failed" if retry_failed else "what is missing"
    pictures = settings.read.rate is not None
    jobs = find_jobs(sources, out, include or [], exclude or [], pictures)
    raise typer.Exit(analyse_videos(*jobs, out, settings, what, verbose))


def _seconds(option: str, text: str | None) -> float | None:
    try:
        return None if text is None else seconds_of(text)
    except ValueError as error:
        raise UsageError(f"{option} {error}") from None


def demo(
    out: Out = Path("demo"), executor: ExecutorOption = None, verbose: Verbose = False
) -> None:
    """Fetch five short sample clips, and analyse them."""
    settings = load_settings(flags={"executor.kind": executor})
    clips = [str(clip) for clip in sample_clips()]
    raise typer.Exit(analyse_videos(*find_jobs(clips, out), out, settings, "everything", verbose))
