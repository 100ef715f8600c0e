"""How well a network names expressions."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.emotions import EMOTIONS

CALIBRATION_BINS = 15


def score(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """The figures of merit, ready for JSON.

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


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean distance between how sure a network is and how often it is right, weighted by bin."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, confidence - right, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(labels))
