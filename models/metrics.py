"""Scores of a network: accuracy, confusion, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.emotions import EMOTIONS

CALIBRATION_BINS = 15


def score(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Scores, ready for JSON.

    Classes without a single face are left out of the averages over classes.

    Args:
        probabilities: (n, 7), rows summing to 1.
        labels: (n,) indices into ``EMOTIONS``.

    Returns:
        ``accuracy``, ``balanced_accuracy`` (mean recall), ``macro_f1``, ``ece`` (expected
        calibration error, Guo et al. 2017, 15 bins of equal width), ``n``, ``per_class``
        (precision, recall, n) and ``confusion`` (rows truth, columns prediction).
    """
    predictions = probabilities.argmax(axis=1)
    confusion = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(confusion, (labels, predictions), 1)
    hits, truths, guesses = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    recall = hits / np.maximum(truths, 1)
    precision = hits / np.maximum(guesses, 1)
    f1 = 2 * hits / np.maximum(truths + guesses, 1)
    present = truths > 0
    return {
        "accuracy": float(hits.sum() / len(labels)),
        "balanced_accuracy": float(recall[present].mean()),
        "macro_f1": float(f1[present].mean()),
        "ece": expected_calibration_error(probabilities, labels),
        "n": len(labels),
        "per_class": {
            name: {"precision": float(p), "recall": float(r), "n": int(n)}
            for name, p, r, n in zip(EMOTIONS, precision, recall, truths, strict=True)
        },
        "confusion": confusion.tolist(),
    }


@dataclass(frozen=True)
class Bin:
    """Faces of similar confidence: their mean confidence, accuracy and number."""

    confidence: float
    accuracy: float
    n: int


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> list[Bin]:
    """Reliability diagram: the faces in ``CALIBRATION_BINS`` bins of confidence, of equal width."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    counts, confidence_sums, hits = (
        np.bincount(place, weights, minlength=CALIBRATION_BINS)
        for weights in (np.ones(len(labels)), confidence, right)
    )
    at_least_one = np.maximum(counts, 1)
    return [
        Bin(float(confidence), float(accuracy), int(n))
        for confidence, accuracy, n in zip(
            confidence_sums / at_least_one, hits / at_least_one, counts, strict=True
        )
    ]


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean difference of confidence and accuracy over the bins, weighted by their faces."""
    bins = reliability(probabilities, labels)
    return sum(part.n * abs(part.confidence - part.accuracy) for part in bins) / len(labels)
