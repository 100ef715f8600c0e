"""Temperature scaling: calibrate the confidence of a network (Guo et al., ICML 2017)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from models.dataset import LabelledFaces
from models.degrade import TYPICAL_SIDES_PX, all_shrunk
from models.emotions import FACE_SIZE_PX
from models.network import with_temperature

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
