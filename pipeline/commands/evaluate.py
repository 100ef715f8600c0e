"""``evaluate``: score a network on labelled faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.options import AsJson
from pipeline.terminal import out_console, say, score_table

CONDITIONS = {
    "yaw": "turned by degrees",
    "brightness": "mean grey level",
    "eyes_px": "pixels from eye to eye",
}


def evaluate(
    dataset: Annotated[Path, typer.Argument(help="FER-2013, or a folder of <emotion>/*.jpg|png.")],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", metavar="FILE", help="A network of your own, its card or labels beside it."
        ),
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option("--plots", metavar="FOLDER", help="Plots of confusion and calibration."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a network on labelled faces."""
    from models.evaluation import evaluate as score
    from models.network import SHIPPED_MODEL
    from pipeline.still_faces import make_face_cutter

    result = score(dataset, model or SHIPPED_MODEL, plots, make_face_cutter)
    if as_json:
        typer.echo(json.dumps(result))
    else:
        _print_scores(result)


def _print_scores(result: dict[str, Any]) -> None:
    say(f"{result['model']} on {result['n']} faces of {result['dataset']}")
    votes, papers = result["votes"], result["papers"]
    for name, scored in (
        ("labels of the folders", result),
        ("most votes", votes),
        ("rule of papers on FER+, a majority without single votes", papers),
    ):
        if scored:
            say(f"by the {name}, {scored['n']} faces:")
            out_console.print(score_table(scored))
            for figure in ("accuracy", "balanced_accuracy", "macro_f1", "ece"):
                say(f"{figure.replace('_', ' ')} {scored[figure]:.4f}")
    if votes:
        say(f"two halves of the people agree on {votes['agreement_of_halves']:.4f}")
    for side_px, scored in result["by_size"].items():
        say(
            f"shrunk to {side_px} pixels: accuracy {scored['accuracy']:.4f}, "
            f"confidence {scored['confidence']:.4f}, ece {scored['ece']:.4f}"
        )
    for condition, groups in result["by_condition"].items():
        for group in groups:
            limit = "or more" if group["below"] is None else f"to {group['below']}"
            say(
                f"{CONDITIONS[condition]} {group['from']} {limit}: accuracy "
                f"{group['accuracy']:.4f} of {group['n']}"
            )
