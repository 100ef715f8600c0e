"""The seven expressions of FER-2013, in the order of every table and every network output."""

from __future__ import annotations

import numpy as np

EMOTIONS: tuple[str, ...] = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")

FACE_SIZE_PX = 48
"""Side of the square grey face that the networks see, as in FER-2013."""

NEGATIVE = [EMOTIONS.index(name) for name in ("angry", "disgust", "fear", "sad")]


def valence_of(probabilities: np.ndarray) -> np.ndarray:
    """Valence: ``happy`` less the likeliest of the negative expressions.

    Args:
        probabilities: (m, 7), in the order of ``EMOTIONS``.

    Returns:
        (m,), -1 to 1 where probabilities are; NaN where these are.
    """
    negative = probabilities[:, NEGATIVE].max(axis=1)
    return probabilities[:, EMOTIONS.index("happy")] - negative
