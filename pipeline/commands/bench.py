"""``bench``: measure speed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from configs.errors import UsageError
from configs.load import load_settings
from pipeline.commands.options import (
    AsJson,
    ConfigOption,
    ExecutorOption,
    NetworkOption,
    SetOption,
)


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
    further: NetworkOption = None,
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
        bool, typer.Option("--profile", help="Show the CPU time of each step only.")
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
    as_json: AsJson = False,
) -> None:
    """Measure speed against a baseline and an upper bound; or parts; or live streams."""
    from models.keras_model import as_tflite
    from models.network import SHIPPED_MODEL
    from pipeline.bench.parts import (
        compare_detectors,
        compare_networks,
        compare_with_full_search,
        compare_with_small_size,
    )
    from pipeline.bench.pipelines import compare_pipelines
    from pipeline.bench.profile import profile as profile_steps
    from pipeline.bench.streams import measure_streams
    from pipeline.run.provenance import with_runnable_models
    from pipeline.terminal import out_console, say_error

    flags = {"executor.kind": executor, "networks.files": further}
    settings = with_runnable_models(load_settings(config, assignments or [], flags))
    clips = _clips(sources)
    tables: dict[str, Sequence[Any]]
    if live:
        width, _, height = size.partition("x")
        if not (width.isdigit() and height.isdigit()):
            raise UsageError(f"--size {size}: expected width and height, such as 1280x720")
        picture = int(width), int(height)
        measured = measure_streams(clips[-1], streams, picture, rate, seconds, settings)
        tables = {"live": [measured]}
    elif parts:
        networks = compare_networks(
            [SHIPPED_MODEL, *map(as_tflite, models or [])], settings.networks.files
        )
        tables = {"detectors": compare_detectors(clips, settings), "networks": networks}
    elif recall:
        tables = {"recall": compare_with_full_search(clips, settings)}
    elif small:
        tables = {"small": compare_with_small_size(clips, settings)}
    elif profile:
        tables = {"profile": profile_steps(clips, settings)}
    else:
        tables = {
            "pipeline": compare_pipelines(clips, settings, rounds, say_error),
            "profile": profile_steps(clips, settings),
        }
    if as_json:
        figures = {name: [asdict(row) for row in rows] for name, rows in tables.items()}
        typer.echo(json.dumps(figures))
        return
    for number, rows in enumerate(tables.values()):
        if number:
            out_console.print()
        out_console.print(_figures_table(rows) if len(rows) > 1 else _figures_list(rows[0]))


def _clips(sources: list[str] | None) -> list[Path]:
    from pipeline.samples import sample_clips
    from pipeline.sources import find_jobs

    if not sources:
        return sample_clips()
    jobs, problems = find_jobs(sources, Path())
    if problems:
        raise problems[0]
    return [Path(job.source) for job in jobs]


def _figures_table(rows: Sequence[Any]) -> Table:
    """A table of instances of one dataclass; its fields are the columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(asdict(rows[0])):
        table.add_column(
            name.replace("_", " "), justify="right" if number else "left", no_wrap=not number
        )
    for row in rows:
        values = asdict(row).values()
        table.add_row(*map(_figure, values))
    return table


def _figures_list(row: Any) -> Table:
    """A table of one instance of a dataclass, a line per field."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in asdict(row).items():
        table.add_row(name.replace("_", " "), _figure(value))
    return table


def _figure(value: float | str) -> str:
    if not isinstance(value, float):
        return str(value)
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.1g}"
