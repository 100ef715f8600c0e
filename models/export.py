"""Turn a trained Keras network into a ``.tflite`` file that LiteRT runs.

Weights become int8, one scale a channel; activations are quantised as the network runs, one scale
a face (LiteRT's dynamic-range quantisation).
"""

from __future__ import annotations

import json
from pathlib import Path

import keras
import tensorflow as tf

from models.emotions import EMOTIONS
from models.quiet import standard_error_silenced


def export(network: keras.Model, path: Path, temperature: float = 1.0) -> None:
    """Write a network and, beside it, its labels and temperature (``NAME.json``).

    Args:
        network: from (b, 48, 48, 1) grey values 0 to 255 to (b, 7) probabilities.
        path: the ``.tflite`` file to write.
        temperature: see ``models.runtime.with_temperature``.
    """
    convert(network, path)
    card = {"labels": list(EMOTIONS), "temperature": round(temperature, 4)}
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")


def convert(network: keras.Model, path: Path) -> None:
    """Write a network alone."""
    with standard_error_silenced():
        network.export(
            path, format="litert", verbose=False, optimizations=[tf.lite.Optimize.DEFAULT]
        )
