"""How the shipped network sees neutral faces in general: what a person's own is compared with."""

from __future__ import annotations

import numpy as np

from models.emotions import EMOTIONS

LEAST_PROBABILITY = 1e-4
"""One step of ``timeline.csv``: smaller ones count as this, so that they have a logarithm."""

TYPICAL_NEUTRAL = {
    "angry": -6.2014,
    "disgust": -6.6084,
    "fear": -7.7440,
    "happy": -7.2351,
    "neutral": -0.4094,
    "sad": -3.3765,
    "surprise": -7.3065,
}
"""Mean of ``log_probabilities`` that ``emotions.tflite`` gives to the 9,998 faces of FER-2013's
training split that most of FER+'s people call neutral, cut as the pipeline cuts faces.
``tests/models/test_neutral.py`` works it out again."""

TYPICAL = np.array([TYPICAL_NEUTRAL[name] for name in EMOTIONS])


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Natural logarithms of probabilities, none below that of ``LEAST_PROBABILITY``."""
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY))
