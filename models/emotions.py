"""The seven expressions of FER-2013, in the order of all tables and networks; how neutral looks."""

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


LEAST_PROBABILITY = 1e-4
"""One step of ``timeline.csv``: smaller ones count as this, so that they have a logarithm."""

TYPICAL_NEUTRAL = {
    "angry": -6.3643,
    "disgust": -7.1276,
    "fear": -8.0671,
    "happy": -7.2130,
    "neutral": -0.3586,
    "sad": -3.5045,
    "surprise": -7.4085,
}
"""Mean of ``log_probabilities`` that ``emotions.tflite`` gives to the 9,998 faces of FER-2013's
training split that most of FER+'s people call neutral, cut as the pipeline cuts faces.
``tests/models/test_neutral.py`` works it out again."""

TYPICAL = np.array([TYPICAL_NEUTRAL[name] for name in EMOTIONS])


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Natural logarithms of probabilities, none below that of ``LEAST_PROBABILITY``."""
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY))
