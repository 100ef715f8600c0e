"""Knowledge distillation (Hinton et al., 2015): train teachers, then a student on their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from configs.errors import UsageError
from models.dataset import TrainingData
from models.recipe import TEACHERS, Recipe
from models.train import CHECKPOINT, train, train_and_export


def train_with_teachers(
    data: TrainingData,
    out: Path,
    recipe: Recipe,
    resume: bool = False,
    report: Callable[[str], None] = print,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Train ``TEACHERS`` into ``out/teachers/<architecture>``, then the student into ``out``.

    The student begins with the weights of the teacher of its own architecture, at half of its
    recipe's learning rate.

    Args:
        resume: go on where the run in ``out`` was interrupted, at a teacher or at the student.

    Returns:
        The paths of the student's networks, as ``train_and_export`` does.

    Raises:
        UsageError: ``out`` holds a run, and ``resume`` is false.
    """
    folders = [out / "teachers" / teacher.architecture for teacher in TEACHERS]
    if not resume and any((folder / CHECKPOINT).exists() for folder in (*folders, out)):
        raise UsageError(f"{out}: holds a training run; give --resume, or another folder by -o")
    networks = []
    for folder, teacher in zip(folders, TEACHERS, strict=True):
        report(f"teacher {teacher.architecture}")
        begun = (folder / CHECKPOINT).exists()
        networks.append(train(data, folder, teacher, begun, report, progress))
    report(f"student {recipe.architecture}")
    begun = (out / CHECKPOINT).exists()
    initial = next(
        (
            network
            for network, teacher in zip(networks, TEACHERS, strict=True)
            if teacher.architecture == recipe.architecture
        ),
        None,
    )
    if initial is not None:
        # At the full rate it would forget what the weights that it begins with know.
        recipe = replace(recipe, learning_rate=recipe.learning_rate / 2)
    return train_and_export(data, out, recipe, begun, report, progress, networks, initial)
