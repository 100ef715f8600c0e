"""Turn a trained Keras network into a ``.tflite`` file that LiteRT runs.

Weights become int8, one scale a channel; activations are quantised as the network runs, one scale
a face (LiteRT's dynamic-range quantisation).
"""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf

from models.quiet import standard_error_silenced


def convert(network: keras.Model, path: Path) -> None:
    """Write a network from (b, 48, 48, 1) grey values 0 to 255 to (b, 7) probabilities.

    Its labels are not part of it: see ``models.runtime.write_labels``.
    """
    with standard_error_silenced():
        network.export(
            path, format="litert", verbose=False, optimizations=[tf.lite.Optimize.DEFAULT]
        )
