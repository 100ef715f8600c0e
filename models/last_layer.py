"""Fit nothing but the last layer of a trained network: minutes instead of hours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from models.augment import label_distributions
from models.dataset import TrainingData
from models.networks import adjust_logits, build
from models.recipe import Recipe
from models.train import begin_with, export_run, prepare_run_folder

WEIGHT_DECAY = 1e-4
"""Half of it times the squared weights is added to the mean cross-entropy."""

MOST_STEPS = 300


def fit_last_layer_and_export(
    data: TrainingData,
    out: Path,
    recipe: Recipe,
    initial: Path,
    report: Callable[[str], None] = print,
) -> list[Path]:
    """Fit the last layer of ``initial`` to the labels of ``data``, and write what ``train`` does.

    Args:
        recipe: of the architecture of ``initial``; says how labels and votes are mixed.

    Returns:
        The paths of the networks.

    Raises:
        UsageError: ``out`` holds a training run.
        ModelError: ``initial`` cannot be used.
    """
    prepare_run_folder(out, recipe, resume=False)
    network = build(recipe.architecture)
    begin_with(initial, network)
    report(f"{len(data.faces)} training faces, each with its mirror image")
    features = network.get_layer("features")
    views = data.faces.images, data.faces.images[:, :, ::-1]
    inputs = np.concatenate([_features(features, view) for view in views])
    targets = label_distributions(data, recipe)
    fitted = fit_multinomial(inputs, np.concatenate([targets, targets]))
    network.get_layer("emotion").set_weights(fitted)
    adjust_logits(network, targets.mean(axis=0), recipe.logit_adjustment)
    return export_run(network, data, out, report)


def _features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return network.predict(images[..., None], batch_size=256, verbose=0)


def fit_multinomial(inputs: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    """Multinomial logistic regression on soft targets, by L-BFGS.

    Args:
        inputs: (n, k) features.
        targets: (n, c), rows summing to 1.

    Returns:
        Weights (k, c) and biases (c,), float32.
    """
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    standard = np.column_stack([(inputs - mean) / scale, np.ones(len(inputs))])
    shape = standard.shape[1], targets.shape[1]
    decay = np.full((shape[0], 1), WEIGHT_DECAY)
    decay[-1] = 0

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        log_p = log_softmax(standard @ weights, axis=1)
        slope = standard.T @ (np.exp(log_p) - targets) / len(inputs) + decay * weights
        value = -(targets * log_p).sum() / len(inputs) + (decay * weights**2).sum() / 2
        return float(value), slope.reshape(-1)

    found = minimize(loss, np.zeros(shape).reshape(-1), jac=True, method="L-BFGS-B",
                     options={"maxiter": MOST_STEPS}).x.reshape(shape)  # fmt: skip
    weights = found[:-1] / scale[:, None]
    bias = found[-1] - mean @ weights
    return [weights.astype(np.float32), bias.astype(np.float32)]
