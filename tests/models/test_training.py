"""Training goes on after an interruption as if there had been none, and its network runs."""

from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from configs.errors import ModelError, UsageError
from models import distil
from models.architectures import adjust_logits, build
from models.augment import AugmentedFaces
from models.dataset import TrainingData, load_training_data
from models.emotions import EMOTIONS
from models.keras_model import load_keras, probabilities
from models.last_layer import fit_last_layer_and_export, fit_multinomial
from models.network import SHIPPED_MODEL, Network
from models.recipe import RECIPES
from models.training import train, train_and_export

RECIPE = replace(RECIPES["residual"], epochs=2, batch_size=14, warmup_epochs=1, distillation=0.9)
TEACHERS = [SHIPPED_MODEL.with_suffix(".keras")]
EXPORTED = "emotions.keras", "emotions.tflite"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    """A few random faces for each emotion, told apart by their brightness."""
    folder = tmp_path_factory.mktemp("fer")
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("validation", 2)):
        for label, name in enumerate(EMOTIONS):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                face = rng.integers(0, 100, (48, 48)) + 20 * label
                cv2.imwrite(str(folder / split / name / f"{number}.png"), face.astype(np.uint8))
    return load_training_data(folder, "refuse")


class InterruptionError(Exception):
    pass


def predict(model: Path, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    return Network(model, expressions=True).classify(faces)[0]


def silent(line: str) -> None:
    """Reports nothing."""


@pytest.fixture(scope="module")
def alone(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run without teachers."""
    out = tmp_path_factory.mktemp("alone")
    train_and_export(data, out, RECIPE, report=silent)
    return out


@pytest.fixture(scope="module")
def taught(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a teacher."""
    out = tmp_path_factory.mktemp("taught")
    train(data, out, RECIPE, report=silent, teachers=TEACHERS)
    return out


@pytest.mark.slow
def test_a_resumed_run_keeps_its_teachers_and_ends_like_an_undisturbed_one(
    data: TrainingData, taught: Path, tmp_path: Path
) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("epoch 1/"):
            raise InterruptionError

    with pytest.raises(InterruptionError):
        train(data, tmp_path, RECIPE, report=interrupt, teachers=TEACHERS)
    train(data, tmp_path, RECIPE, resume=True, report=silent)
    # Sums on several threads differ in the last digits from run to run.
    history = [np.loadtxt(run / "history.csv", delimiter=",", skiprows=1)
               for run in (taught, tmp_path)]  # fmt: skip
    np.testing.assert_allclose(*history, rtol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow converts")
def test_network_of_a_run_is_exported_and_agrees_with_it(data: TrainingData, alone: Path) -> None:
    faces = data.validation.images
    weights, runnable = (predict(alone / name, faces) for name in EXPORTED)
    np.testing.assert_allclose(runnable, weights, atol=0.03)
    assert (alone / "history.png").stat().st_size > 1000


def test_runs_are_not_mixed_up(data: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no training to resume"):
        train(data, tmp_path, RECIPE, resume=True)
    (tmp_path / "checkpoint.weights.h5").touch()
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(UsageError, match="holds a training run"):
        train(data, tmp_path, RECIPE)
    with pytest.raises(UsageError, match="other settings"):
        train(data, tmp_path, RECIPE, resume=True)


def test_a_network_learns_what_its_teachers_think(
    data: TrainingData, alone: Path, taught: Path
) -> None:
    happy = EMOTIONS.index("happy")
    answers = np.tile(np.eye(7, dtype=np.float32)[happy], (len(data.faces), 1))
    _, targets = AugmentedFaces(replace(data, teacher_probabilities=answers), RECIPE)[0]
    assert (targets.argmax(axis=1) == happy).all()
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    assert not np.array_equal(*(_last_layer(run / "best.keras") for run in (alone, taught)))


def test_training_begins_with_the_weights_of_another_run(
    data: TrainingData, alone: Path, tmp_path: Path
) -> None:
    first = alone / "best.keras"
    still = replace(RECIPE, epochs=1, learning_rate=0.0, averaging=0.0)
    second = train(data, tmp_path / "second", still, report=silent, initial=first)
    np.testing.assert_array_equal(*(_last_layer(network) for network in (first, second)))
    other = replace(still, architecture="mobilenet")
    with pytest.raises(ModelError, match="--arch"):
        train(data, tmp_path / "third", other, report=silent, initial=first)


def _last_layer(network: Path) -> np.ndarray:
    return keras.models.load_model(network).get_layer("emotion").get_weights()[0]


@pytest.mark.slow
def test_teachers_and_student_go_on_after_an_interruption(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("epoch 1/") and not interrupted:
            interrupted.append(line)
            raise InterruptionError

    interrupted: list[str] = []
    monkeypatch.setattr(distil, "TEACHER", replace(RECIPE, epochs=1))
    with pytest.raises(InterruptionError):
        distil.train_with_teachers(data, tmp_path, RECIPE, report=interrupt)
    with pytest.raises(UsageError, match="--resume"):
        distil.train_with_teachers(data, tmp_path, RECIPE, report=interrupt)
    distil.train_with_teachers(data, tmp_path, RECIPE, resume=True, report=interrupt)
    assert (tmp_path / "teachers" / "residual" / "best.keras").exists()
    assert (tmp_path / "emotions.keras").exists()
    taught = np.load(tmp_path / "student" / "teacher_probabilities.npy")
    assert taught.shape == (len(data.faces), 7)


@pytest.mark.slow
def test_a_student_begins_with_an_earlier_network_that_teaches_it(
    data: TrainingData, tmp_path: Path
) -> None:
    earlier = SHIPPED_MODEL.with_suffix(".keras")
    short = replace(RECIPE, epochs=1)
    distil.train_with_teachers(data, tmp_path, short, report=silent, initial=earlier)
    teacher = load_keras(tmp_path / "teachers" / "residual.keras")
    answers = np.load(tmp_path / "student" / "teacher_probabilities.npy")
    views = data.faces.images, data.faces.images[:, :, ::-1]
    expected = np.mean([probabilities(teacher, view) for view in views], axis=0)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    assert (tmp_path / "emotions.tflite").exists()


def test_rare_expressions_are_raised_by_their_shares() -> None:
    network = build("residual")
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48)).astype(np.uint8)
    before = probabilities(network, faces)
    shares = np.array([0.1, 0.01, 0.04, 0.3, 0.3, 0.15, 0.1])
    adjust_logits(network, shares, 0.5)
    expected = before / shares**0.5
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities(network, faces), expected, atol=1e-5)


def test_last_layer_alone_is_fitted(data: TrainingData, tmp_path: Path) -> None:
    initial = SHIPPED_MODEL.with_suffix(".keras")
    recipe = replace(RECIPES["residual"], logit_adjustment=0.0)
    fit_last_layer_and_export(data, tmp_path, recipe, initial, report=silent)
    features = [
        keras.models.load_model(path, compile=False).get_layer("features").get_weights()
        for path in (initial, tmp_path / "emotions.keras")
    ]
    for before, after in zip(*features, strict=True):
        np.testing.assert_allclose(before, after, atol=1e-2)
    predicted = predict(tmp_path / "emotions.keras", data.faces.images).argmax(axis=1)
    before = predict(initial, data.faces.images).argmax(axis=1)
    assert (predicted == data.faces.labels).mean() > 0.9 > (before == data.faces.labels).mean()


def test_soft_labels_are_fitted_as_their_shares() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, 2000)
    inputs = np.column_stack([groups, rng.normal(size=2000)])
    targets = np.where(groups[:, None] == 0, [0.8, 0.2], [0.3, 0.7])
    weights, bias = fit_multinomial(inputs, targets)
    logits = inputs @ weights + bias
    first = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))
    np.testing.assert_allclose(first, targets[:, 0], atol=0.02)
