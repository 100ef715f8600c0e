"""The command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from configs.errors import EmotionTimelinesError, UsageError
from configs.load import load_settings
from configs.version import VERSION
from models.dataset import BadData, load_training_data
from models.keras_model import as_tflite
from models.optional import packages_needed
from models.recipe import RECIPES
from models.runtime import SHIPPED_MODEL
from pipeline.bench.live import measure_streams
from pipeline.bench.parts import compare_detectors, compare_networks
from pipeline.bench.pipelines import compare_pipelines
from pipeline.bench.profile import profile as profile_steps
from pipeline.bench.recall import compare_with_full_search, compare_with_small_size
from pipeline.live.workers import worker_starter
from pipeline.progress import training_progress
from pipeline.results.clock import seconds_of
from pipeline.results.export import EXPORTS
from pipeline.run.ledger import Redo
from pipeline.run.plan import with_runnable_model
from pipeline.run_command import SOME_FAILED, WRONG_COMMAND, analyse_videos, watch_streams
from pipeline.samples import sample_clips
from pipeline.sources import find_jobs, find_streams, is_camera_source
from pipeline.still_faces import make_face_cutter
from pipeline.terminal import (
    err_console,
    figures_list,
    figures_table,
    out_console,
    say,
    say_error,
    score_table,
)

app = typer.Typer(
    help="Turn video into timelines of facial expressions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # It would take words in square brackets for markup.
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked_for: bool) -> None:
    if asked_for:
        typer.echo(f"emotion-timelines {VERSION}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of the program itself."""


Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")]
ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="YAML file, summary.json, or crowd, fast."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change one setting, e.g. detect.width_px=960."
    ),
]
ExecutorOption = Annotated[
    str | None, typer.Option("--executor", metavar="ray|local", help="Ray actors, or one process.")
]
AddressOption = Annotated[
    str | None, typer.Option("--address", metavar="ADDR", help="Ray cluster to join.")
]
Export = Annotated[
    list[str] | None,
    typer.Option(
        "--export", metavar="FORMAT,...", help="Also write: parquet, eaf, vtt, png, svg; or all."
    ),
]
NoVideo = Annotated[bool, typer.Option("--no-video", help="Write no annotated.mp4.")]
Blur = Annotated[
    bool, typer.Option("--blur", help="Make faces unrecognisable in all that is written.")
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Also show the log of libraries.")]


@app.command()
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
        typer.Option("--model", metavar="FILE", help="Your own network: .tflite, .keras."),
    ] = None,
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
        "export.formats": _formats(export),
        "video.enabled": False if no_video else None,
        "video.blur": True if blur else None,
        "live.duration_s": duration_s,
        "live.frames": frames,
        "read.from_s": _seconds("--from", begin),
        "read.to_s": _seconds("--to", end),
    }
    settings = load_settings(config, assignments or [], flags)
    settings = with_runnable_model(settings)
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


def _formats(wanted: list[str] | None) -> list[str] | None:
    if wanted is None:
        return None
    names = [name.strip() for entry in wanted for name in entry.split(",")]
    return [kind.removeprefix("timeline.") for kind in EXPORTS] if "all" in names else names


@app.command()
def demo(
    out: Out = Path("demo"), executor: ExecutorOption = None, verbose: Verbose = False
) -> None:
    """Fetch five short sample clips, and analyse them."""
    settings = load_settings(flags={"executor.kind": executor})
    clips = [str(clip) for clip in sample_clips()]
    raise typer.Exit(analyse_videos(*find_jobs(clips, out), out, settings, "everything", verbose))


@app.command()
def train(
    dataset: Annotated[Path, typer.Argument(help="FER-2013: its folder, or fer2013.csv.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the run [runs/ARCH].")
    ] = None,
    architecture: Annotated[
        str, typer.Option("--arch", metavar="|".join(RECIPES), help="Network and its recipe.")
    ] = next(iter(RECIPES)),
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs [the recipe's].")] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=2, help="Faces a step [the recipe's].")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 1,
    bad_data: Annotated[
        BadData, typer.Option(help="Images that cannot be used: leave them out, or stop.")
    ] = "skip",
    teachers: Annotated[
        list[Path] | None,
        typer.Option("--teacher", metavar="FILE", help="Learn from this .keras network as well."),
    ] = None,
    initial: Annotated[
        Path | None,
        typer.Option("--initial", metavar="FILE", help="Begin with this .keras network's weights."),
    ] = None,
    distil: Annotated[
        bool, typer.Option("--distil", help="First train teachers, then learn from them as well.")
    ] = False,
    last_layer: Annotated[
        bool, typer.Option("--last-layer", help="Fit nothing but the last layer of --initial.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT.")] = False,
) -> None:
    """Train a network, and export it for the pipeline."""
    if distil and (teachers or initial):
        raise UsageError("--distil trains its own teachers; leave out --teacher and --initial")
    if last_layer and (initial is None or teachers or distil or resume):
        raise UsageError("--last-layer needs --initial FILE, the network whose last layer to fit, "
                         "and goes with no other kind of training")  # fmt: skip
    if architecture not in RECIPES:
        raise UsageError(f"--arch {architecture}: not one of {', '.join(RECIPES)}")
    with packages_needed("training", "tensorflow"):
        from models.distil import train_with_teachers
        from models.last_layer import fit_last_layer_and_export
        from models.train import train_and_export
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
        if distil:
            models = train_with_teachers(data, folder, recipe, resume, say, progress)
        elif last_layer and initial is not None:
            models = fit_last_layer_and_export(data, folder, recipe, initial, say)
        else:
            models = train_and_export(
                data, folder, recipe, resume, say, progress, teachers or (), initial
            )
    for model in models:
        say(f"wrote {model}")


@app.command()
def evaluate(
    dataset: Annotated[Path, typer.Argument(help="FER-2013, or a folder of <emotion>/*.jpg|png.")],
    model: Annotated[
        Path, typer.Option("--model", metavar="FILE", help=".tflite or .keras network.")
    ] = SHIPPED_MODEL,
    plots: Annotated[
        Path | None,
        typer.Option("--plots", metavar="FOLDER", help="Plots of confusion and calibration."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, nothing else.")] = False,
) -> None:
    """Score a network on labelled faces."""
    from models.evaluate import evaluate as score

    result = score(dataset, model, plots, make_face_cutter())
    if as_json:
        typer.echo(json.dumps(result))
    else:
        _print_scores(result)


def _print_scores(result: dict[str, Any]) -> None:
    say(f"{result['model']} on {result['n']} faces of {result['dataset']}")
    for name, scored in (("labels of the folders", result), ("most votes", result["votes"])):
        if scored:
            say(f"by the {name}, {scored['n']} faces:")
            out_console.print(score_table(scored))
            for figure in ("accuracy", "balanced_accuracy", "macro_f1", "ece"):
                say(f"{figure.replace('_', ' ')} {scored[figure]:.4f}")
    for side_px, scored in result["by_size"].items():
        say(
            f"shrunk to {side_px} pixels: accuracy {scored['accuracy']:.4f}, "
            f"confidence {scored['confidence']:.4f}, ece {scored['ece']:.4f}"
        )


@app.command()
def bench(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="Videos; without any, the sample clips."),
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    models: Annotated[
        list[Path] | None, typer.Option("--model", metavar="FILE", help="More networks to time.")
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="Compare detectors and networks instead.")
    ] = False,
    recall: Annotated[
        bool, typer.Option("--recall", help="Compare faces with a search of every frame.")
    ] = False,
    small: Annotated[
        bool, typer.Option("--small", help="Compare faces with those at a quarter of the size.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show the CPU time of each step.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each contender.")] = 3,
    live: Annotated[
        bool, typer.Option("--live", help="Measure live streams, sent by this machine to itself.")
    ] = False,
    streams: Annotated[int, typer.Option(min=1, help="Live: number of streams.")] = 6,
    size: Annotated[
        str, typer.Option(metavar="WxH", help="Live: size of their frames.")
    ] = "640x360",
    rate: Annotated[int, typer.Option(min=1, help="Live: their frames per second.")] = 15,
    seconds: Annotated[
        float, typer.Option(min=10, max=86_400, help="Live: duration of the measurement.")
    ] = 60,
    executor: ExecutorOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, nothing else.")] = False,
) -> None:
    """Measure speed against a baseline and an upper bound; or parts; or live streams."""
    settings = load_settings(config, assignments or [], {"executor.kind": executor})
    clips = _clips(sources)
    tables: dict[str, Sequence[Any]]
    if live:
        width, _, height = size.partition("x")
        if not (width.isdigit() and height.isdigit()):
            raise UsageError(f"--size {size}: expected width and height, such as 1280x720")
        picture = int(width), int(height)
        with worker_starter(settings, verbose=False) as start_worker:
            measured = measure_streams(
                clips[-1], streams, picture, rate, seconds, settings, start_worker
            )
        tables = {"live": [measured]}
    elif parts:
        networks = compare_networks([SHIPPED_MODEL, *map(as_tflite, models or [])])
        tables = {"detectors": compare_detectors(clips, settings), "networks": networks}
    elif recall:
        tables = {"recall": compare_with_full_search(clips, settings)}
    elif small:
        tables = {"small": compare_with_small_size(clips, settings)}
    elif profile:
        tables = {"profile": profile_steps(clips, settings)}
    else:
        tables = {"pipeline": compare_pipelines(clips, settings, rounds, say_error)}
    if as_json:
        figures = {name: [asdict(row) for row in rows] for name, rows in tables.items()}
        typer.echo(json.dumps(figures))
        return
    for rows in tables.values():
        out_console.print(figures_table(rows) if len(rows) > 1 else figures_list(rows[0]))


def _clips(sources: list[str] | None) -> list[Path]:
    if not sources:
        return sample_clips()
    jobs, problems = find_jobs(sources, Path())
    if problems:
        raise problems[0]
    return [Path(job.source) for job in jobs]


def main() -> None:
    """Run the command line; errors of ours are printed without a traceback."""
    try:
        app()
    except UsageError as error:
        say_error(error)
        sys.exit(WRONG_COMMAND)
    except EmotionTimelinesError as error:
        say_error(error)
        sys.exit(SOME_FAILED)
