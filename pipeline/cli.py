"""The command line."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from configs.errors import EmotionTimelinesError, UsageError
from configs.load import load_settings
from configs.schema import Settings
from models.dataset import BadData, load_training_data
from models.keras_model import as_tflite
from models.quiet import standard_error_silenced
from models.recipe import RECIPES
from models.runtime import SHIPPED_MODEL
from pipeline import local_executor
from pipeline.bench import DetectorFigures, NetworkFigures, compare_detectors, compare_networks
from pipeline.bench_live import measure_streams
from pipeline.plan import load_network, with_runnable_model
from pipeline.progress import closing_table, live_figures, make_reporter, training_progress
from pipeline.samples import sample_clips
from pipeline.sources import Stream, find_jobs, find_streams, is_camera_source
from pipeline.still_faces import make_face_cutter
from pipeline.summary import Provenance
from pipeline.supervisor import Supervisor, ThreadWorker, Worker

DONE, SOME_FAILED, WRONG_COMMAND, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    help="Turn video into timelines of facial expressions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out_console, err_console = Console(), Console(stderr=True)

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")]
ConfigOption = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="YAML file, or preset: crowd, fast.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change one setting, e.g. detect.width_px=960."
    ),
]
ExecutorOption = Annotated[
    str | None, typer.Option("--executor", metavar="ray|local", help="Actors, or one process.")
]
AddressOption = Annotated[
    str | None, typer.Option("--address", metavar="ADDR", help="Ray cluster to join.")
]
NoVideo = Annotated[bool, typer.Option("--no-video", help="Write no annotated.mp4.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show what the libraries say, too.")]


@app.command()
def run(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
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
        typer.Option("--model", metavar="FILE", help="Your own network: .tflite, .keras."),
    ] = None,
    no_video: NoVideo = False,
    show: Annotated[
        bool, typer.Option("--show", help="Live: serve a page to watch, and print its address.")
    ] = False,
    duration_s: Annotated[
        float | None, typer.Option("--duration", metavar="SECONDS", help="Live: then stop.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option("--frames", metavar="N", help="Live: after so many, stop.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Analyse videos or live streams: a timeline, an annotated video and a summary each."""
    flags: dict[str, Any] = {
        "executor.kind": executor,
        "executor.address": address,
        "classify.model": model,
        "video.enabled": False if no_video else None,
        "live.duration_s": duration_s,
        "live.frames": frames,
    }
    settings = load_settings(config, assignments or [], flags)
    streams = find_streams(sources, with_runnable_model(settings), out)
    if streams and len(sources) > sum(is_camera_source(source) for source in sources):
        raise UsageError("files and live streams need a command each: a stream may never end")
    if show and not streams:
        raise UsageError("--show is for cameras and network streams; there is none in the command")
    if streams:
        raise typer.Exit(watch(streams, out, settings, show, verbose))
    raise typer.Exit(analyse(sources, out, settings, verbose))


@app.command()
def demo(
    out: Out = Path("demo"), executor: ExecutorOption = None, verbose: Verbose = False
) -> None:
    """Fetch five short sample clips, and analyse them."""
    settings = load_settings(flags={"executor.kind": executor})
    clips = [str(clip) for clip in sample_clips()]
    raise typer.Exit(analyse(clips, out, settings, verbose))


@app.command()
def train(
    dataset: Annotated[Path, typer.Argument(help="FER-2013: its folder, or fer2013.csv.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the run [runs/ARCH].")
    ] = None,
    architecture: Annotated[
        str, typer.Option("--arch", metavar="|".join(RECIPES), help="Network and its recipe.")
    ] = next(iter(RECIPES)),
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Times that each face is seen [the recipe's].")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=2, help="Faces a step [the recipe's].")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all randomness.")] = 1,
    bad_data: Annotated[
        BadData, typer.Option(help="Images that cannot be used: leave them out, or stop.")
    ] = "skip",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT.")] = False,
) -> None:
    """Train a network, and export it for the pipeline."""
    if architecture not in RECIPES:
        raise UsageError(f"--arch {architecture}: not one of {', '.join(RECIPES)}")
    try:
        with standard_error_silenced():
            from models.train import train_and_export
    except ImportError as error:
        raise UsageError("training needs TensorFlow; install the extra 'train'") from error
    usual = RECIPES[architecture]
    recipe = replace(
        usual,
        epochs=epochs or usual.epochs,
        batch_size=batch_size or usual.batch_size,
        seed=seed,
    )
    folder = out or Path("runs") / architecture
    data = load_training_data(dataset, bad_data, make_face_cutter())
    with training_progress(err_console) as progress:
        models = train_and_export(data, folder, recipe, resume, _say, progress)
    for model in models:
        _say(f"wrote {model}")


@app.command()
def evaluate(
    dataset: Annotated[Path, typer.Argument(help="FER-2013, or a folder of <emotion>/*.jpg|png.")],
    model: Annotated[
        Path, typer.Option("--model", metavar="FILE", help=".tflite or .keras network.")
    ] = SHIPPED_MODEL,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="FOLDER", help="Draw what there is to see.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, nothing else.")] = False,
) -> None:
    """Score a network on labelled faces."""
    from models.evaluate import evaluate as score

    result = score(dataset, model, plots, make_face_cutter())
    if as_json:
        typer.echo(json.dumps(result))
    else:
        _say(f"{result['model']} on {result['n']} faces of {result['dataset']}")
        out_console.print(score_table(result))
        for name in ("accuracy", "balanced_accuracy", "macro_f1", "ece"):
            _say(f"{name.replace('_', ' ')} {result[name]:.4f}")


@app.command()
def bench(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE...]", help="Videos; without any, the sample clips."),
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    models: Annotated[
        list[Path] | None, typer.Option("--model", metavar="FILE", help="More networks to time.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Measure live streams, sent by this machine to itself.")
    ] = False,
    streams: Annotated[int, typer.Option(min=1, help="Live: how many at once.")] = 6,
    size: Annotated[str, typer.Option(metavar="WxH", help="Live: of their pictures.")] = "640x360",
    rate: Annotated[int, typer.Option(min=1, help="Live: their frames a second.")] = 15,
    seconds: Annotated[float, typer.Option(min=10, help="Live: how long to measure.")] = 60,
    executor: ExecutorOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, nothing else.")] = False,
) -> None:
    """Compare detectors and networks on the same frames and faces; or measure live streams."""
    settings = load_settings(config, assignments or [], {"executor.kind": executor})
    if sources:
        jobs, problems = find_jobs(sources, Path())
        if problems:
            raise problems[0]
        clips = [Path(job.source) for job in jobs]
    else:
        clips = sample_clips()
    if live:
        width, _, height = size.partition("x")
        if not (width.isdigit() and height.isdigit()):
            raise UsageError(f"--size {size}: expected width and height, such as 1280x720")
        with _stream_starter(settings, verbose=False) as start_worker:
            measured = measure_streams(
                clips[-1], streams, (int(width), int(height)), rate, seconds, settings, start_worker
            )
        if as_json:
            typer.echo(json.dumps(asdict(measured)))
        else:
            for name, value in asdict(measured).items():
                _say(f"{name.replace('_', ' '):>10}  {_figure(value)}")
        return
    detectors = compare_detectors(clips, settings)
    networks = compare_networks([SHIPPED_MODEL, *map(as_tflite, models or [])])
    if as_json:
        figures = {
            "detectors": [asdict(row) for row in detectors],
            "networks": [asdict(row) for row in networks],
        }
        typer.echo(json.dumps(figures))
    else:
        out_console.print(_figures_table(detectors))
        out_console.print(_figures_table(networks))


def _figures_table(rows: Sequence[DetectorFigures | NetworkFigures]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in asdict(rows[0]):
        table.add_column(name.replace("_", " "))
    for row in rows:
        values = asdict(row).values()
        table.add_row(*map(_figure, values))
    return table


def _figure(value: float | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def score_table(result: dict[str, Any]) -> Table:
    """Precision and recall of each emotion."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("emotion", "precision", "recall", "faces"):
        table.add_column(title, justify="left" if title == "emotion" else "right")
    for emotion, figures in result["per_class"].items():
        table.add_row(emotion, f"{figures['precision']:.3f}", f"{figures['recall']:.3f}",
                      str(figures["n"]))  # fmt: skip
    return table


def analyse(sources: list[str], out: Path, settings: Settings, verbose: bool) -> int:
    """Run the pipeline over the sources and say what came of it; returns the exit status."""
    if verbose:
        logging.basicConfig(level=logging.DEBUG)
    jobs, problems = find_jobs(sources, out)
    for problem in problems:
        _say_error(problem)
    if not jobs:
        return SOME_FAILED
    settings = with_runnable_model(settings)
    provenance = Provenance.of(settings, load_network(settings))
    stop = _stop_signals()
    with ExitStack() as stack:
        reporter = make_reporter(err_console, stack)
        if settings.executor.kind == "local":
            summaries = local_executor.run(jobs, settings, provenance, reporter, stop)
        else:
            from pipeline import ray_executor  # Importing Ray takes time; local does without.

            summaries = ray_executor.run(jobs, settings, provenance, reporter, stop, verbose)
    out_console.print(closing_table(out, list(summaries.items())))
    _say(f"results: {out}/<video>/")
    if stop.is_set():
        _say_error("interrupted; what was done is kept")
        return INTERRUPTED
    complete = all(summary.status == "complete" for summary in summaries.values()) and not problems
    return DONE if complete else SOME_FAILED


def watch(streams: list[Stream], out: Path, settings: Settings, show: bool, verbose: bool) -> int:
    """Analyse live streams until they end, and say what came of it; returns the exit status."""
    if verbose:
        logging.basicConfig(level=logging.DEBUG)
    provenance = Provenance.of(settings, load_network(settings))
    stop = _stop_signals()
    with ExitStack() as stack:
        start_worker = stack.enter_context(_stream_starter(settings, verbose))
        supervisor = Supervisor(streams, provenance, start_worker, _say)
        if show:
            from pipeline.page import page_served

            _say(f"watch at {stack.enter_context(page_served(supervisor, settings.page))}")
        stack.enter_context(live_figures(err_console, supervisor))
        results = supervisor.run(stop)
    out_console.print(closing_table(out, results))
    _say(f"results: {out}/<stream>/")
    if stop.is_set():
        _say_error("interrupted; every file is complete")
        return INTERRUPTED
    return DONE if all(summary.status == "complete" for _, summary in results) else SOME_FAILED


def _stream_starter(
    settings: Settings, verbose: bool
) -> AbstractContextManager[Callable[[Stream, Provenance], Worker]]:
    """What starts live streams with the executor that the settings name."""
    if settings.executor.kind == "local":
        return nullcontext(ThreadWorker)
    from pipeline import ray_executor  # Importing Ray takes time; local does without.

    return ray_executor.stream_workers(settings, verbose)


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


def _say(line: str) -> None:
    out_console.print(line, markup=False, highlight=False, soft_wrap=True)


def _say_error(problem: object) -> None:
    err_console.print(f"error: {problem}", style="red", markup=False, highlight=False,
                      soft_wrap=True)  # fmt: skip


def main() -> None:
    """Run the command line; never shows a traceback for what a user can mend."""
    try:
        app()
    except UsageError as error:
        _say_error(error)
        sys.exit(WRONG_COMMAND)
    except EmotionTimelinesError as error:
        _say_error(error)
        sys.exit(SOME_FAILED)
