"""Train a network on FER-2013, resumable after any epoch."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

import keras
import numpy as np

from configs.errors import UsageError
from models.augment import AugmentedFaces
from models.calibrate import fit_temperature
from models.dataset import LabelledFaces, load_split
from models.emotions import EMOTIONS
from models.export import export
from models.networks import build
from models.plots import plot_history

CHECKPOINT = "checkpoint.weights.h5"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a training run.

    Attributes:
        network: a key of ``models.networks.NETWORKS``.
        learning_rate: Adam's, at the start; it falls to zero along half a cosine.
        shear: largest shear of augmentation, radians.
        zoom: largest zoom of augmentation, relative.
        precision: Keras dtype policy.
    """

    network: str = "seed"
    epochs: int = 36
    batch_size: int = 128
    learning_rate: float = 2e-3
    shear: float = 0.2
    zoom: float = 0.15
    precision: str = "float32"
    seed: int = 1


def train(
    dataset: Path,
    out: Path,
    recipe: Recipe,
    resume: bool = False,
    report: Callable[[str], None] = print,
) -> Path:
    """Train, and keep the weights that do best on the validation split.

    Writes into ``out``: ``best.keras``, ``history.csv`` (one row an epoch), ``history.png``,
    ``recipe.json`` and ``checkpoint.weights.h5``, which ``resume`` starts from.

    Args:
        dataset: FER-2013, as ``models.dataset`` reads it.
        out: folder for results, made if absent.
        recipe: what to do; when resuming, the one that the run began with.
        resume: go on after the last finished epoch of the run in ``out``.
        report: receives a line an epoch, and one for each image skipped.

    Returns:
        The path of ``best.keras``.

    Raises:
        DatasetError: the data set cannot be used.
        UsageError: ``out`` holds another run, or nothing to resume.
    """
    _prepare_run_folder(out, recipe, resume)
    faces, validation = load_split(dataset, "train"), load_split(dataset, "validation")
    for line in (*faces.skipped, *validation.skipped):
        report(f"skipped {line}")
    report(f"{len(faces)} training faces, {len(validation)} validation faces")

    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    batches = AugmentedFaces(faces, recipe.batch_size, recipe.seed, recipe.shear, recipe.zoom)
    network = _compiled(recipe, steps=recipe.epochs * len(batches))
    history, best, checkpoint = _History(out / "history.csv"), out / "best.keras", out / CHECKPOINT
    held_out = _as_arrays(validation)
    first_epoch = 0
    if resume:
        network.load_weights(checkpoint)
        first_epoch = int(network.optimizer.iterations) // len(batches)
        history.keep(first_epoch)

    for epoch in range(first_epoch, recipe.epochs):
        started_s = monotonic()
        batches.start_epoch(epoch)
        _reseed_dropout(network, recipe.seed, epoch)
        fit = network.fit(batches, validation_data=held_out, shuffle=False, verbose=0).history
        row = {name: values[0] for name, values in fit.items()}
        if row["val_accuracy"] > history.best_accuracy:
            _replace(best, network.save)
        history.append(row)
        _replace(checkpoint, network.save_weights)
        plot_history(history.rows, out / "history.png")
        report(
            f"epoch {epoch + 1}/{recipe.epochs}  loss {row['loss']:.3f}  "
            f"accuracy {row['accuracy']:.3f}  validation {row['val_accuracy']:.4f} "
            f"(best {history.best_accuracy:.4f})  {monotonic() - started_s:.0f} s"
        )
    return best


def train_and_export(
    dataset: Path,
    out: Path,
    recipe: Recipe,
    resume: bool = False,
    report: Callable[[str], None] = print,
) -> tuple[Path, Path]:
    """Train, then write what the pipeline runs: ``emotions.keras`` and ``emotions.tflite``.

    Beside them lies ``emotions.json`` with their labels and the temperature, which is fitted on the
    validation split. Arguments and errors are those of ``train``.
    """
    best = keras.models.load_model(train(dataset, out, recipe, resume, report), compile=False)
    weights, runnable = out / "emotions.keras", out / "emotions.tflite"
    best.save(weights)
    validation = load_split(dataset, "validation")
    probabilities = best.predict(_as_arrays(validation)[0], batch_size=256, verbose=0)
    export(best, runnable, fit_temperature(probabilities, validation.labels))
    return weights, runnable


def _compiled(recipe: Recipe, steps: int) -> keras.Model:
    network = build(recipe.network)
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, decay_steps=steps)
    network.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    network.optimizer.build(network.trainable_variables)
    return network


def _reseed_dropout(network: keras.Model, seed: int, epoch: int) -> None:
    """Make dropout depend on the epoch alone: checkpoints do not hold its random state."""
    for number, layer in enumerate(network.layers):
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed * len(network.layers) + number, epoch])


def _prepare_run_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    record = out / "recipe.json"
    wanted = json.dumps(asdict(recipe), indent=2) + "\n"
    if resume:
        if not (out / CHECKPOINT).exists():
            raise UsageError(f"{out}: no training to resume in it; start one without --resume")
        if record.read_text() != wanted:
            raise UsageError(f"{record}: the run began with other settings; give the same again")
    elif (out / CHECKPOINT).exists():
        raise UsageError(f"{out}: holds a training run; give --resume, or another folder by -o")
    record.write_text(wanted)


def _replace(path: Path, save: Callable[[Path], object]) -> None:
    """Save under a temporary name first, so that an interruption leaves the previous file whole."""
    unfinished = path.with_name(f"unfinished.{path.name}")
    save(unfinished)
    unfinished.replace(path)


class _History:
    """The figures of each finished epoch, kept as CSV."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: list[dict[str, float]] = []
        if path.exists():
            with path.open(newline="") as lines:
                self.rows = [
                    {name: float(value) for name, value in row.items()}
                    for row in csv.DictReader(lines)
                ]

    @property
    def best_accuracy(self) -> float:
        return max((row["val_accuracy"] for row in self.rows), default=0.0)

    def keep(self, epochs: int) -> None:
        """Forget what a run did after its last checkpoint."""
        kept, self.rows = self.rows[:epochs], []
        self._path.unlink(missing_ok=True)
        for row in kept:
            self.append(row)

    def append(self, row: dict[str, float]) -> None:
        self.rows.append(row)
        with self._path.open("a", newline="") as lines:
            writer = csv.DictWriter(lines, row)
            if len(self.rows) == 1:
                writer.writeheader()
            writer.writerow(row)


def _as_arrays(faces: LabelledFaces) -> tuple[np.ndarray, np.ndarray]:
    targets = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels]
    return faces.images[..., None].astype(np.float32), targets
