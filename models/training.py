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
from scipy.optimize import minimize_scalar

from configs.errors import ModelError, UsageError
from models.architectures import adjust_logits, build, build_learner, copy_weights
from models.augment import AugmentedFaces
from models.card import card_of_labels, card_path
from models.dataset import LabelledFaces, TrainingData
from models.degrade import TYPICAL_SIDES_PX, all_shrunk
from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.keras_model import load_keras, probabilities, save_compactly
from models.metrics import score
from models.network import with_temperature
from models.plots import plot_history
from models.recipe import Recipe
from models.votes import VOTES_FILE

CHECKPOINT = "checkpoint.weights.h5"

TEACHER_PROBABILITIES = "teacher_probabilities.npy"
"""Mean probabilities of the teachers for each face; a resumed run reads them from here."""


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
        recipe: when resuming, the one that the run began with.
        resume: go on after the last finished epoch of the run in ``out``.
        report: receives a line an epoch, and one for each image skipped.
        progress: called after each step with the number of steps done, and of all.
        teachers: ``.keras`` networks whose mean probabilities are part of the targets; a resumed
            run keeps those that it began with.
        initial: ``.keras`` network of the same architecture; training begins with its weights.

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
    # Scores are computed in the precision of training: it takes half the time.
    scored = build(recipe.architecture, recipe.precision)
    learner = _learner(recipe, steps=len(batches))
    # Builds loss and metrics; under some backends, `fit` would lose its first batch by doing so.
    learner.test_on_batch(*batches[0])
    history, best, checkpoint = _History(out / "history.csv"), out / "best.keras", out / CHECKPOINT
    first_epoch = 0
    if initial is not None and not resume:
        load_initial_weights(initial, learner)
    if resume:
        learner.load_weights(checkpoint)
        first_epoch = int(learner.optimizer.iterations) // len(batches)
        history.keep(first_epoch)

    for epoch in range(first_epoch, recipe.epochs):
        started_s = monotonic()
        batches.start_epoch(epoch)
        _reseed_dropout(learner, recipe.seed, epoch)
        steps = _StepCallback(progress, epoch * len(batches), recipe.epochs * len(batches))
        row = _train_one_epoch(learner, network, batches, steps)
        adjust_logits(network, batches.class_shares, recipe.logit_adjustment)
        copy_weights(network, scored)
        row |= _validation_scores(scored, data.validation)
        if _selection_score(row) > history.best_score:
            save_whole(best, network.save)
        history.append(row)
        save_whole(checkpoint, learner.save_weights)
        plot_history(history.rows, out / "history.png")
        epoch_s = monotonic() - started_s
        report(
            f"epoch {epoch + 1}/{recipe.epochs}  loss {row['loss']:.3f}  "
            f"accuracy {row['accuracy']:.3f}  validation {row['val_accuracy']:.4f}, balanced "
            f"{row['val_balanced_accuracy']:.4f} (best mean {history.best_score:.4f})  "
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
    by_side = fit_temperatures(predict, data.validation)
    temperature = {str(side): round(value, 4) for side, value in sorted(by_side.items())}
    card = card_of_labels(EMOTIONS, temperature, "trained by this program")
    card_path(runnable).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    if keras.backend.backend() != "tensorflow":
        report("for emotions.tflite, --resume the finished run with KERAS_BACKEND=tensorflow")
        return [weights]
    from models.to_tflite import convert  # It imports TensorFlow.

    convert(network, runnable)
    return [weights, runnable]


def _teacher_probabilities(teachers: Sequence[Path], faces: LabelledFaces) -> np.ndarray:
    """Mean probabilities over teachers, faces and their mirror images, (n, 7) float32."""
    views = faces.images, faces.images[:, :, ::-1]
    networks = [load_keras(path) for path in teachers]
    return np.mean([probabilities(network, view) for network in networks for view in views], axis=0)


def load_initial_weights(initial: Path, learner: keras.Model) -> None:
    """Copy the weights of a ``.keras`` network into one of the same architecture.

    Raises:
        ModelError: the file cannot be used, or has another architecture.
    """
    try:
        copy_weights(load_keras(initial), learner)
    except ValueError as error:
        raise ModelError(
            f"{initial}: its architecture is not {learner.name}; "
            "give its own with --arch, or leave out --initial"
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
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
        ],
    )
    optimizer.build(learner.trainable_variables)
    return learner


def _train_one_epoch(
    learner: keras.Model, network: keras.Model, batches: AugmentedFaces, steps: _StepCallback
) -> dict[str, float]:
    """Train for an epoch; returns loss and accuracy.

    Afterwards ``network`` has the averaged weights, and ``learner`` those to go on from: ``fit``
    ends by replacing its weights with their average, if there is one.
    """
    fit = learner.fit(batches, shuffle=False, verbose=0, callbacks=[steps]).history
    copy_weights(learner, network)
    learner.set_weights(steps.weights_at_end)
    return {"loss": fit["loss"][0], "accuracy": fit["accuracy"][0]}


class _StepCallback(keras.callbacks.Callback):
    """Reports each step, and keeps the weights at the end of an epoch, before averaging."""

    def __init__(self, progress: Callable[[int, int], None] | None, done: int, total: int) -> None:
        super().__init__()
        self._progress, self._done, self._total = progress, done, total

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        if self._progress:
            self._progress(self._done + batch + 1, self._total)

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.weights_at_end = self.model.get_weights()


def _validation_scores(network: keras.Model, faces: LabelledFaces) -> dict[str, float]:
    predicted = probabilities(network, faces.images)
    right = predicted[np.arange(len(faces)), faces.labels]
    figures = score(predicted, faces.labels)
    return {
        "val_loss": float(-np.log(np.maximum(right, 1e-9)).mean()),
        "val_accuracy": figures["accuracy"],
        "val_balanced_accuracy": figures["balanced_accuracy"],
    }


def _selection_score(row: dict[str, float]) -> float:
    """Mean of accuracy and balanced accuracy; the best epoch has the highest."""
    return (row["val_accuracy"] + row["val_balanced_accuracy"]) / 2


def _reseed_dropout(learner: keras.Model, seed: int, epoch: int) -> None:
    """Make dropout depend on the epoch alone: checkpoints do not hold its random state.

    Under PyTorch it draws from one state for the whole process, under the others from one a layer.
    """
    keras.utils.set_random_seed(seed * 1000 + epoch)
    for number, layer in enumerate(learner.get_layer("features").layers):
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed * 1000 + number, epoch])


def prepare_run_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    """Make the folder of a run, and write its recipe.

    Raises:
        UsageError: the folder holds another run, or nothing to resume.
    """
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


def save_whole(path: Path, save: Callable[[Path], object]) -> None:
    """Save under a temporary name first, so that an interruption leaves the previous file whole."""
    unfinished = path.with_name(f"unfinished.{path.name}")
    save(unfinished)
    unfinished.replace(path)


class _History:
    """The scores of each finished epoch, in a CSV file."""

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
    def best_score(self) -> float:
        return max(map(_selection_score, self.rows), default=-1.0)

    def keep(self, epochs: int) -> None:
        """Delete the rows of epochs after the last checkpoint."""
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


MIN_TEMPERATURE, MAX_TEMPERATURE = 0.2, 5.0


def fit_temperatures(
    predict: Callable[[np.ndarray], np.ndarray], faces: LabelledFaces
) -> dict[int, float]:
    """Temperatures for whole faces, and for small ones, on which a network is overconfident.

    Args:
        predict: from (n, 48, 48) uint8 faces to probabilities (n, 7).
        faces: that the network was not trained on.

    Returns:
        Temperatures by the side of a face in pixels.
    """
    by_side = {FACE_SIZE_PX: fit_temperature(predict(faces.images), faces.labels)}
    for side_px in TYPICAL_SIDES_PX:
        predicted = predict(all_shrunk(faces.images, side_px))
        by_side[side_px] = fit_temperature(predicted, faces.labels)
    return by_side


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the least negative log-likelihood of the labels.

    Args:
        probabilities: (n, 7) of faces that the network was not trained on.
        labels: (n,) indices into ``EMOTIONS``.

    Returns:
        A temperature between 0.2 and 5 for ``models.network.with_temperature``.
    """

    def negative_log_likelihood(log_temperature: float) -> float:
        calibrated = with_temperature(probabilities, float(np.exp(log_temperature)))
        return -float(np.log(np.maximum(calibrated[np.arange(len(labels)), labels], 1e-9)).mean())

    bounds = np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)
    found = minimize_scalar(negative_log_likelihood, bounds=bounds, method="bounded")
    return float(np.exp(found.x))
