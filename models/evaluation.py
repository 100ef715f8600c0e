"""Score a model on labelled faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.conditions import score_by_condition
from models.crops import Crop
from models.dataset import CutFace, LabelledFaces, has_split, load_folder, load_split, whole_picture
from models.degrade import TYPICAL_SIDES_PX, all_shrunk
from models.emotions import EMOTIONS
from models.metrics import score
from models.network import Network
from models.votes import load_votes


def evaluate(
    dataset: Path,
    model: Path,
    plots: Path | None = None,
    cutter: Callable[[Crop], CutFace] = lambda kind: whole_picture,
) -> dict[str, Any]:
    """Score a network of expressions.

    Args:
        dataset: FER-2013, of which the test split is used if there is one, else the validation
            split; or a single folder of ``<emotion>/*.jpg|png``.
        model: the model file, its card or its labels beside it.
        plots: folder for ``confusion.png`` and ``reliability.png``, made if absent.
        cutter: makes what cuts the face out of each picture, for a kind of crop.

    Returns:
        ``models.metrics.score`` by the labels, with the names of ``model`` and ``dataset``;
        ``votes``: the same by the expression that most of FER+'s people see, with
        ``agreement_of_halves``, and ``papers``: by the rule of FER+'s own program, both None for a
        data set without votes; ``by_size``: figures of the faces as they are, and shrunk to
        ``TYPICAL_SIDES_PX`` and enlarged again; and ``by_condition``: see
        ``models.conditions.score_by_condition``; these by votes if there are any, else by labels.

    Raises:
        DatasetError, ModelError: one of the two cannot be used.
        MissingPackageError: for ``.keras``, TensorFlow is not installed.
    """
    network = Network(model, expressions=True)
    split, faces = labelled_faces(dataset, cutter(network.crop), network.crop.colour)
    votes = load_votes(dataset, split, faces.files) if split else None
    truth = faces.labels if votes is None else votes.majority
    named = truth >= 0
    predicted = _predict(network, faces.images)
    by_labels = score(predicted, faces.labels)
    by_votes = None if votes is None else _score_named(predicted, truth)
    if votes is not None and by_votes is not None:
        by_votes["agreement_of_halves"] = votes.agreement_of_halves()
    result = {
        **by_labels,
        "votes": by_votes,
        "papers": None if votes is None else _score_named(predicted, votes.majority_of_papers),
        "by_size": {
            str(network.crop.size_px): _main_figures(by_votes or by_labels, predicted[named]),
            **_score_shrunk(network, faces.images[named], truth[named]),
        },
        "by_condition": score_by_condition(
            predicted[named], truth[named], faces.images[named], faces.landmarks[named]
        ),
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


def labelled_faces(
    dataset: Path, cut: CutFace, colour: bool = False
) -> tuple[str | None, LabelledFaces]:
    """The faces to score on: a folder of emotions, or the best held-out split of a data set.

    Returns:
        The name of the split, None for a folder of emotions; and its faces.
    """
    if dataset.is_dir() and any((dataset / name).is_dir() for name in EMOTIONS):
        return None, load_folder(dataset, cut, colour=colour)
    split = "test" if has_split(dataset, "test") else "validation"
    return split, load_split(dataset, split, cut, colour=colour)


def _score_named(predicted: np.ndarray, truth: np.ndarray) -> dict[str, Any] | None:
    """Scores of the faces whose label is not -1; None if there are none."""
    named = truth >= 0
    return score(predicted[named], truth[named]) if named.any() else None


def _score_shrunk(network: Network, faces: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    figures = {}
    smaller = (side_px for side_px in TYPICAL_SIDES_PX if side_px < network.crop.size_px)
    for side_px in sorted(smaller, reverse=True):
        predicted = _predict(network, all_shrunk(faces, side_px), side_px)
        figures[str(side_px)] = _main_figures(score(predicted, labels), predicted)
    return figures


def _main_figures(scored: dict[str, Any], predicted: np.ndarray) -> dict[str, float]:
    return {
        "accuracy": scored["accuracy"],
        "balanced_accuracy": scored["balanced_accuracy"],
        "ece": scored["ece"],
        "confidence": float(predicted.max(axis=1).mean()),
    }


def _predict(
    network: Network, images: NDArray[np.uint8], side_px: int | None = None
) -> NDArray[np.float32]:
    """Calibrated probabilities, (n, 7).

    Args:
        images: (n, ...), as the network's faces are cut.
        side_px: side of the faces before they were enlarged; None if they were not.
    """
    sides_px = None if side_px is None else np.full(len(images), side_px, np.float32)
    return network.classify(images, sides_px)[0]
