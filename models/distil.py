"""Knowledge distillation (Hinton et al., 2015): train teachers, then a student on their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from configs.errors import UsageError
from models.architectures import build
from models.dataset import TrainingData
from models.last_layer import fit_last_layer, fit_last_layer_and_export
from models.pretrained import load_pretrained
from models.recipe import RECIPES, TEACHER, Recipe
from models.training import (
    CHECKPOINT,
    TEACHER_PROBABILITIES,
    load_initial_weights,
    save_whole,
    train,
)

PRETRAINED = "mobilenet"


def train_with_teachers(
    data: TrainingData,
    out: Path,
    recipe: Recipe,
    resume: bool = False,
    report: Callable[[str], None] = print,
    progress: Callable[[int, int], None] | None = None,
    initial: Path | None = None,
    pretrained: Path | None = None,
) -> list[Path]:
    """Train teachers into ``out/teachers``, a student into ``out/student``, and fit its last layer.

    One teacher has the shape of the student, which begins with its weights at half of its recipe's
    learning rate: ``TEACHER``, or ``initial`` with its last layer fitted. With ``pretrained``,
    another one begins with weights that know faces.

    Args:
        out: folder for results; the networks that the pipeline runs lie in it.
        recipe: of the architecture of ``TEACHER``.
        resume: go on where the run in ``out`` was interrupted.
        initial: ``.keras`` network of that architecture.
        pretrained: see ``models.pretrained.load_pretrained``.

    Returns:
        The paths of the networks.

    Raises:
        UsageError: ``out`` holds a run, and ``resume`` is false.
        ModelError: ``initial`` or ``pretrained`` cannot be used.
    """
    if not resume and any((out / name).exists() for name in ("teachers", "student")):
        raise UsageError(f"{out}: holds a training run; give --resume, or another folder by -o")

    def run(folder: Path, recipe: Recipe, teachers: list[Path], initial: Path | None) -> Path:
        report(f"{folder.name}: {recipe.architecture}")
        begun = (folder / CHECKPOINT).exists()
        return train(data, folder, recipe, begun, report, progress, teachers, initial)

    own = out / "teachers" / recipe.architecture
    own.parent.mkdir(parents=True, exist_ok=True)
    if initial is None:
        beginning = run(own, TEACHER, [], None)
        teachers = [beginning]
    else:
        beginning = initial
        teachers = [own.with_suffix(".keras")]
        if not teachers[0].exists():
            network = build(recipe.architecture)
            load_initial_weights(initial, network)
            fit_last_layer(network, data, TEACHER)
            save_whole(teachers[0], network.save)
    if pretrained is not None:
        folder = out / "teachers" / PRETRAINED
        knowing = folder.with_suffix(".keras")
        if not knowing.exists():
            network = load_pretrained(pretrained, data, RECIPES[PRETRAINED])
            save_whole(knowing, network.save)
        teachers.append(run(folder, RECIPES[PRETRAINED], [], knowing))
    # At the full rate it would forget what the weights that it begins with know.
    halved = replace(recipe, learning_rate=recipe.learning_rate / 2)
    student = run(out / "student", halved, teachers, beginning)
    answers = np.load(out / "student" / TEACHER_PROBABILITIES)
    taught = replace(data, teacher_probabilities=answers)
    return fit_last_layer_and_export(taught, out, recipe, student, report)
