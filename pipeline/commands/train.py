"""``train``: train a network of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from configs.errors import UsageError
from models.recipe import RECIPES, TEACHER, BadData


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
    pretrained: Annotated[
        Path | None,
        typer.Option(
            "--pretrained", metavar="FILE", help="faceres.json: a teacher begins with its weights."
        ),
    ] = None,
    last_layer: Annotated[
        bool, typer.Option("--last-layer", help="Fit nothing but the last layer of --initial.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT.")] = False,
) -> None:
    """Train a network, and export it for the pipeline."""
    if distil and teachers:
        raise UsageError("--distil trains its own teachers; leave out --teacher")
    if distil and architecture != TEACHER.architecture:
        raise UsageError(f"--arch {architecture} is no student; leave it out with --distil")
    if pretrained and not distil:
        raise UsageError("--pretrained is for a teacher; give --distil as well")
    if last_layer and (initial is None or teachers or distil or resume):
        raise UsageError("--last-layer needs --initial FILE, the network whose last layer to fit, "
                         "and goes with no other kind of training")  # fmt: skip
    if architecture not in RECIPES:
        raise UsageError(f"--arch {architecture}: not one of {', '.join(RECIPES)}")
    from models.dataset import load_training_data
    from models.libraries import packages_needed
    from pipeline.progress import training_progress
    from pipeline.still_faces import make_face_cutter
    from pipeline.terminal import err_console, say

    with packages_needed("training", "tensorflow"):
        from models.distil import train_with_teachers
        from models.last_layer import fit_last_layer_and_export
        from models.training import train_and_export
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
            models = train_with_teachers(
                data, folder, recipe, resume, say, progress, initial, pretrained
            )
        elif last_layer and initial is not None:
            models = fit_last_layer_and_export(data, folder, recipe, initial, say)
        else:
            models = train_and_export(
                data, folder, recipe, resume, say, progress, teachers or (), initial
            )
    for model in models:
        say(f"wrote {model}")
