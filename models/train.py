"""Train a network on FER-2013, resumable after any epoch."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from time import monotonic

import keras
import numpy as np

from configs.errors import ModelError, UsageError
from models.augment import AugmentedFaces
from models.calibrate import fit_temperatures
from models.dataset import LabelledFaces, TrainingData
from models.keras_model import load_keras, probabilities, save_compactly
from models.metrics import score
from models.networks import adjust_logits, build, build_learner, copy_weights
from models.plots import plot_history
from models.recipe import Recipe
from models.runtime import write_labels
from models.votes import VOTES_FILE

CHECKPOINT = "checkpoint.weights.h5"

TEACHER_PROBABILITIES = "teacher_probabilities.npy"
"""What the teachers answer for each face, so that a run is resumed with the same labels."""


def train(
    data: TrainingData,
    out: Path,
    recipe: Recipe,
    resume: bool = False,
    report: Callable[[str], None] = print,
    progress: Callable[[int, int], None] | None = None,
    teachers: Sequence[Path] = (),
    initial: Path | None = None,
) -> Path:
    """Train, and keep the weights that do best on the validation split.

    Writes into ``out``: ``best.keras``, ``history.csv`` (one row an epoch), ``history.png``,
    ``recipe.json`` and ``checkpoint.weights.h5``, which ``resume`` starts from.

    Args:
        data: what to learn from.
        out: folder for results, made if absent.
        recipe: what to do; when resuming, the one that the run began with.
        resume: go on after the last finished epoch of the run in ``out``.
        report: receives a line an epoch, and one for each image skipped.
        progress: is told of each step: how many are done, and how many there are.
        teachers: ``.keras`` networks whose mean probabilities go into a face's label; a resumed run
            goes on with those that it began with.
        initial: ``.keras`` network of the same architecture whose weights to begin with.

    Returns:
        The path of ``best.keras``.

    Raises:
        UsageError: ``out`` holds another run, or nothing to resume.
        ModelError: a network in ``teachers`` or ``initial`` cannot be used.
    """
    prepare_run_folder(out, recipe, resume)
    for split, skipped in (("train", data.faces.skipped), ("validation", data.validation.skipped)):
        for line in skipped:
            report(f"skipped {split}/{line}")
    report(
        f"{len(data.faces)} training faces, {len(data.validation)} validation faces, "
        f"{len(data.faces.skipped) + len(data.validation.skipped)} skipped"
    )
    if data.votes is None:
        report(f"no {VOTES_FILE} in the data set; learning from its labels alone")

    remembered = out / TEACHER_PROBABILITIES
    if not resume:
        remembered.unlink(missing_ok=True)
        if teachers:
            np.save(remembered, _teacher_probabilities(teachers, data.faces))
    if remembered.exists():
        data = replace(data, teacher_probabilities=np.load(remembered))
    keras.utils.set_random_seed(recipe.seed)
    batches = AugmentedFaces(data, recipe)
    network = build(recipe.architecture)
    # Scored in the precision of training, which takes half the time.
    scored = build(recipe.architecture, recipe.precision)
    learner = _learner(recipe, steps=len(batches))
    # Builds loss and metrics. Left to `fit`, it costs the first batch under some backends.
    learner.test_on_batch(*batches[0])
    history, best, checkpoint = _History(out / "history.csv"), out / "best.keras", out / CHECKPOINT
    first_epoch = 0
    if initial is not None and not resume:
        begin_with(initial, learner)
    if resume:
        learner.load_weights(checkpoint)
        first_epoch = int(learner.optimizer.iterations) // len(batches)
        history.keep(first_epoch)

    for epoch in range(first_epoch, recipe.epochs):
        started_s = monotonic()
        batches.start_epoch(epoch)
        _reseed_dropout(learner, recipe.seed, epoch)
        watch = _Watch(progress, epoch * len(batches), recipe.epochs * len(batches))
        row = _train_one_epoch(learner, network, batches, watch)
        adjust_logits(network, batches.class_shares, recipe.logit_adjustment)
        copy_weights(network, scored)
        row |= _score(scored, data.validation)
        if _merit(row) > history.best_merit:
            _replace(best, network.save)
        history.append(row)
        _replace(checkpoint, learner.save_weights)
        plot_history(history.rows, out / "history.png")
        epoch_s = monotonic() - started_s
        report(
            f"epoch {epoch + 1}/{recipe.epochs}  loss {row['loss']:.3f}  "
            f"accuracy {row['accuracy']:.3f}  validation {row['val_accuracy']:.4f}, balanced "
            f"{row['val_balanced_accuracy']:.4f} (best mean {history.best_merit:.4f})  "
            f"{epoch_s:.0f} s, "
            f"{(recipe.epochs - epoch - 1) * epoch_s / 60:.0f} min left"
        )
    return best


def train_and_export(
    data: TrainingData,
    out: Path,
    recipe: Recipe,
    resume: bool = False,
    report: Callable[[str], None] = print,
    progress: Callable[[int, int], None] | None = None,
    teachers: Sequence[Path] = (),
    initial: Path | None = None,
) -> list[Path]:
    """Train, then write what the pipeline runs: ``emotions.keras`` and ``emotions.tflite``.

    Beside them lies ``emotions.json`` with their labels and temperatures, which are fitted on the
    validation split. Arguments and errors are those of ``train``. Only Keras's TensorFlow backend
    can convert; others leave the ``.tflite`` out.

    Returns:
        The paths of the networks.
    """
    best = keras.models.load_model(
        train(data, out, recipe, resume, report, progress, teachers, initial)
    )
    return export_run(best, data, out, report)


def export_run(
    network: keras.Model, data: TrainingData, out: Path, report: Callable[[str], None]
) -> list[Path]:
    """Write a trained network into ``out`` as ``train_and_export`` does."""
    weights, runnable = out / "emotions.keras", out / "emotions.tflite"
    save_compactly(network, weights)
    predict = partial(probabilities, network)
    write_labels(runnable, fit_temperatures(predict, data.validation))
    if keras.backend.backend() != "tensorflow":
        report("for emotions.tflite, --resume the finished run with KERAS_BACKEND=tensorflow")
        return [weights]
    from models.export import convert  # It imports TensorFlow.

    convert(network, runnable)
    return [weights, runnable]


def _teacher_probabilities(teachers: Sequence[Path], faces: LabelledFaces) -> np.ndarray:
    """Mean of what the teachers answer for each face and its mirror image, (n, 7) float32."""
    views = faces.images, faces.images[:, :, ::-1]
    networks = [load_keras(path) for path in teachers]
    return np.mean([probabilities(network, view) for network in networks for view in views], axis=0)


def begin_with(initial: Path, learner: keras.Model) -> None:
    try:
        copy_weights(load_keras(initial), learner)
    except ValueError as error:
        raise ModelError(
            f"{initial}: not a network of the architecture {learner.name}; "
            "name its own with --arch, or begin without --initial"
        ) from error


def _learner(recipe: Recipe, steps: int) -> keras.Model:
    learner = build_learner(recipe.architecture, recipe.precision)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if recipe.warmup_epochs else recipe.learning_rate,
        decay_steps=max(1, recipe.epochs - recipe.warmup_epochs) * steps,
        warmup_target=recipe.learning_rate if recipe.warmup_epochs else None,
        warmup_steps=recipe.warmup_epochs * steps,
    )
    averaging = {
        "use_ema": recipe.averaging > 0,
        "ema_momentum": recipe.averaging,
        "weight_decay": recipe.weight_decay or None,
    }
    optimizer = (
        keras.optimizers.Adam(schedule, **averaging)
        if recipe.optimizer == "adam"
        else keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True, **averaging)
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    learner.compile(
        optimizer,
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        ),
        metrics=[
            keras.metrics.CategoricalCrossentropy(from_logits=True, name="cross_entropy"),
            keras.metrics.CategoricalAccuracy(name="accuracy"),
        ],
    )
    optimizer.build(learner.trainable_variables)
    return learner


def _train_one_epoch(
    learner: keras.Model, network: keras.Model, batches: AugmentedFaces, watch: _Watch
) -> dict[str, float]:
    """Train; afterwards ``network`` has the averaged weights, and ``learner`` those to go on from.

    ``fit`` ends by putting averaged weights, if there are any, in the place of the others.
    """
    fit = learner.fit(batches, shuffle=False, verbose=0, callbacks=[watch]).history
    copy_weights(learner, network)
    learner.set_weights(watch.weights_at_end)
    return {"loss": fit["cross_entropy"][0], "accuracy": fit["accuracy"][0]}


class _Watch(keras.callbacks.Callback):
    """Tells of each step, and keeps the weights that an epoch ends with."""

    def __init__(self, progress: Callable[[int, int], None] | None, done: int, total: int) -> None:
        super().__init__()
        self._progress, self._done, self._total = progress, done, total

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        if self._progress:
            self._progress(self._done + batch + 1, self._total)

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.weights_at_end = self.model.get_weights()


def _score(network: keras.Model, faces: LabelledFaces) -> dict[str, float]:
    predicted = probabilities(network, faces.images)
    right = predicted[np.arange(len(faces)), faces.labels]
    figures = score(predicted, faces.labels)
    return {
        "val_loss": float(-np.log(np.maximum(right, 1e-9)).mean()),
        "val_accuracy": figures["accuracy"],
        "val_balanced_accuracy": figures["balanced_accuracy"],
    }


def _merit(row: dict[str, float]) -> float:
    """What the best epoch is chosen by: rare expressions count as well as frequent ones."""
    return (row["val_accuracy"] + row["val_balanced_accuracy"]) / 2


def _reseed_dropout(learner: keras.Model, seed: int, epoch: int) -> None:
    """Make dropout depend on the epoch alone: checkpoints do not hold its random state.

    Under PyTorch it draws from a state of the whole process, under the others from one a layer.
    """
    keras.utils.set_random_seed(seed * 1000 + epoch)
    for number, layer in enumerate(learner.get_layer("features").layers):
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed * 1000 + number, epoch])


def prepare_run_folder(out: Path, recipe: Recipe, resume: bool) -> None:
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
    def best_merit(self) -> float:
        return max(map(_merit, self.rows), default=-1.0)

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
