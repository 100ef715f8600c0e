"""Turn a trained Keras network into a ``.tflite`` file that LiteRT runs.

Weights of our own networks become int8, one scale a channel; activations are quantised as the
network runs, one scale a face (LiteRT's dynamic-range quantisation).
"""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf

from models.libraries import standard_error_silenced


def convert(network: keras.Model, path: Path, quantised: bool = True) -> None:
    """Write a network.

    Its card is not part of it.

    Args:
        quantised: as above; otherwise its numbers stay float32.
    """
    optimizations = [tf.lite.Optimize.DEFAULT] if quantised else []
    with standard_error_silenced():
        network.export(path, format="litert", verbose=False, optimizations=optimizations)
