"""Plots of training and of evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from models.emotions import EMOTIONS
from models.metrics import reliability

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#999999"

MARKED_EPOCHS = 20
"""So few are marked by points: one epoch alone would show no line."""


def plot_history(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Loss and accuracy over the epochs, of training and validation."""
    epochs = range(1, len(rows) + 1)
    marker = "o-" if len(rows) <= MARKED_EPOCHS else "-"
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for panel, name in zip(panels, ("loss", "accuracy"), strict=True):
        for key, colour, label in ((name, GREY, "training"), (f"val_{name}", BLUE, "validation")):
            values = [row[key] for row in rows]
            panel.plot(epochs, values, marker, color=colour, markersize=4, label=label)
        panel.set(xlabel="epoch", ylabel=name, xlim=(0.5, len(rows) + 0.5))
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False)
    _save(figure, path)


def plot_confusion(result: dict[str, Any], path: Path) -> None:
    """The confusion matrix, in shares of each true expression."""
    counts = np.array(result["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, panel = plt.subplots(figsize=(6.4, 5.6), layout="constrained")
    panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(shares.shape):
        share = shares[row, column]
        panel.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=9,
                   color="white" if share > 0.5 else "black")  # fmt: skip
    panel.set_xticks(range(len(EMOTIONS)), EMOTIONS, rotation=45, ha="right")
    panel.set_yticks(range(len(EMOTIONS)), EMOTIONS)
    panel.set(
        xlabel="predicted", ylabel="true", title=f"{result['model']}: {result['accuracy']:.1%}"
    )
    _save(figure, path)


def plot_reliability(probabilities: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Reliability diagram: accuracy over confidence; on the diagonal they are equal."""
    bins = [part for part in reliability(probabilities, labels) if part.n]
    figure, panel = plt.subplots(figsize=(5.6, 5.2), layout="constrained")
    panel.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfectly calibrated")
    panel.plot([part.confidence for part in bins], [part.accuracy for part in bins], color=BLUE)
    panel.scatter(
        [part.confidence for part in bins],
        [part.accuracy for part in bins],
        s=[1500 * part.n / len(labels) for part in bins],
        color=BLUE,
        alpha=0.6,
        label="faces (area: number)",
    )
    panel.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, loc="upper left", markerscale=0.4)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=120)
    plt.close(figure)
