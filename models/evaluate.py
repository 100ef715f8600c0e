"""Score a model on labelled faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models.dataset import CutFace, LabelledFaces, has_split, load_folder, load_split, whole_picture
from models.degrade import TYPICAL_SIDES_PX, all_shrunk
from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.metrics import score
from models.network import Network
from models.votes import load_votes


def evaluate(
    dataset: Path, model: Path, plots: Path | None = None, cut: CutFace = whole_picture
) -> dict[str, Any]:
    """Score a ``.tflite`` or ``.keras`` model.

    Args:
        dataset: FER-2013, of which the test split is used if there is one, else the validation
            split; or a single folder of ``<emotion>/*.jpg|png``.
        model: the model file, its labels beside it.
        plots: folder for ``confusion.png`` and ``reliability.png``, made if absent.
        cut: cuts the face out of each picture.

    Returns:
        ``models.metrics.score`` by the labels, with the names of ``model`` and ``dataset``;
        ``votes``: the same by the expression that most of FER+'s people see, None for a data set
        without votes; and ``by_size``: figures of the faces as they are, and shrunk to
        ``TYPICAL_SIDES_PX`` and enlarged again, by votes if there are any, else by labels.

    Raises:
        DatasetError, ModelError: one of the two cannot be used.
        MissingPackageError: for ``.keras``, TensorFlow is not installed.
    """
    split, faces = labelled_faces(dataset, cut)
    votes = load_votes(dataset, split, faces.files) if split else None
    truth = faces.labels if votes is None else votes.majority
    named = truth >= 0
    predicted = predict(model, faces.images)
    by_labels = score(predicted, faces.labels)
    by_votes = None if votes is None else score(predicted[named], truth[named])
    result = {
        **by_labels,
        "votes": by_votes,
        "by_size": {
            str(FACE_SIZE_PX): _main_figures(by_votes or by_labels, predicted[named]),
            **_score_shrunk(model, faces.images[named], truth[named]),
        },
        "model": model.name,
        "dataset": str(dataset),
        "skipped": list(faces.skipped),
    }
    if plots is not None:
        from models.plots import plot_confusion, plot_reliability  # Matplotlib is slow to import.

        plots.mkdir(parents=True, exist_ok=True)
        plot_confusion(result, plots / "confusion.png")
        plot_reliability(predicted, faces.labels, plots / "reliability.png")
    return result


def labelled_faces(dataset: Path, cut: CutFace) -> tuple[str | None, LabelledFaces]:
    """The faces to score on: a folder of emotions, or the best held-out split of a data set.

    Returns:
        The name of the split, None for a folder of emotions; and its faces.
    """
    if dataset.is_dir() and any((dataset / name).is_dir() for name in EMOTIONS):
        return None, load_folder(dataset, cut)
    split = "test" if has_split(dataset, "test") else "validation"
    return split, load_split(dataset, split, cut)


def _score_shrunk(model: Path, faces: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    figures = {}
    for side_px in sorted(TYPICAL_SIDES_PX, reverse=True):
        predicted = predict(model, all_shrunk(faces, side_px), side_px)
        figures[str(side_px)] = _main_figures(score(predicted, labels), predicted)
    return figures


def _main_figures(scored: dict[str, Any], predicted: np.ndarray) -> dict[str, float]:
    return {
        "accuracy": scored["accuracy"],
        "balanced_accuracy": scored["balanced_accuracy"],
        "ece": scored["ece"],
        "confidence": float(predicted.max(axis=1).mean()),
    }


def predict(model: Path, images: np.ndarray, side_px: int = FACE_SIZE_PX) -> np.ndarray:
    """Calibrated probabilities, (n, 7), that a model gives for (n, 48, 48) uint8 faces.

    Args:
        side_px: side of the faces before they were scaled to 48 pixels.
    """
    sides_px = np.full(len(images), side_px, np.float32)
    return Network(model, expressions=True).classify(images, sides_px)[0]
