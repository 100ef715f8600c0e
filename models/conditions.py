"""Scores by what makes a face hard: turned away, dark, small."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metrics import score

LIMITS: dict[str, tuple[float, ...]] = {
    "yaw": (10, 20, 30),
    "brightness": (64, 96, 128, 160),
    "eyes_px": (10, 15, 20),
}
"""Where groups end and the next begin."""

NOSE_DEPTH = 0.4
"""By which the tip of the nose lies before eyes and mouth, in distances of the eyes."""


def score_by_condition(
    probabilities: np.ndarray, labels: np.ndarray, images: np.ndarray, landmarks: np.ndarray
) -> dict[str, list[dict[str, Any]]]:
    """Scores of groups of faces, ready for JSON.

    Args:
        probabilities: (n, 7), rows summing to 1.
        labels: (n,) indices into ``EMOTIONS``.
        images: (n, ...) uint8, the faces as they are cut.
        landmarks: (n, 5, 2) in pixels of the picture; NaN for a face that was not found, which only
            ``brightness`` counts.

    Returns:
        By ``yaw`` (degrees to either side), ``brightness`` (mean grey level, 0 to 255) and
        ``eyes_px`` (pixels of the picture from eye to eye): groups that have faces, in order, each
        ``from``, ``below`` (None: without end), ``n``, ``accuracy``, ``balanced_accuracy``.
    """
    eyes_px = np.linalg.norm(landmarks[:, 1] - landmarks[:, 0], axis=1)
    measured = {
        "yaw": np.abs(yaw(landmarks)),
        "brightness": images.reshape(len(images), -1).mean(axis=1),
        "eyes_px": eyes_px,
    }
    return {
        name: _scores_of_groups(probabilities, labels, measured[name], limits)
        for name, limits in LIMITS.items()
    }


def yaw(landmarks: np.ndarray) -> NDArray[np.float64]:
    """About how far faces are turned to a side.

    The further a face is turned, the further the tip of the nose is off the line from the middle of
    the eyes to the middle of the mouth, and the closer together the eyes are.

    Args:
        landmarks: (n, 5, 2): eyes, nose, corners of the mouth, x and y.

    Returns:
        (n,) float64, degrees, positive where the nose points right in the picture.
    """
    left_eye, right_eye, nose, left_corner, right_corner = landmarks.transpose(1, 2, 0)
    eyes, mouth = (left_eye + right_eye) / 2, (left_corner + right_corner) / 2
    down, across = mouth - eyes, right_eye - left_eye
    # Cross products: areas between the line down, and the nose or the line across.
    off = (nose - eyes)[0] * down[1] - (nose - eyes)[1] * down[0]
    width = across[0] * down[1] - across[1] * down[0]
    turned: NDArray[np.float64] = np.arctan2(off, NOSE_DEPTH * np.maximum(width, 1e-9))
    return np.rad2deg(turned)


def _scores_of_groups(
    probabilities: np.ndarray, labels: np.ndarray, values: np.ndarray, limits: tuple[float, ...]
) -> list[dict[str, Any]]:
    groups = []
    for low, high in zip((0, *limits), (*limits, None), strict=True):
        chosen = (values >= low) & (values < (np.inf if high is None else high))
        if chosen.any():
            scored = score(probabilities[chosen], labels[chosen])
            figures = {key: scored[key] for key in ("n", "accuracy", "balanced_accuracy")}
            groups.append({"from": low, "below": high, **figures})
    return groups
