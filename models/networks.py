"""The networks, by name: from (b, 48, 48, 1) grey values 0 to 255 to (b, 7) probabilities."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from models.emotions import EMOTIONS, FACE_SIZE_PX


def build(name: str) -> keras.Model:
    """Build the untrained network of that name (a key of ``NETWORKS``)."""
    inputs = keras.Input((FACE_SIZE_PX, FACE_SIZE_PX, 1), name="face")
    features = NETWORKS[name](layers.Rescaling(1 / 127.5, offset=-1)(inputs))
    logits = layers.Dense(len(EMOTIONS), name="logits", dtype="float32")(features)
    return keras.Model(
        inputs, layers.Softmax(name="probabilities", dtype="float32")(logits), name=name
    )


def seed(x: keras.KerasTensor) -> keras.KerasTensor:
    """Three convolution blocks and two dense layers, as in the first of this program's networks."""
    for filters, kernel in ((64, 5), (128, 3), (128, 3)):
        x = layers.Conv2D(filters, kernel, padding="same", use_bias=False)(x)
        x = _normalise_and_activate(x)
        x = layers.MaxPooling2D()(x)
        x = layers.Dropout(0.25)(x)
    x = layers.Flatten()(x)
    for units in (128, 128):
        x = layers.Dense(units, use_bias=False)(x)
        x = _normalise_and_activate(x)
        x = layers.Dropout(0.3)(x)
    return x


def _normalise_and_activate(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))


NETWORKS: dict[str, Callable[[keras.KerasTensor], keras.KerasTensor]] = {"seed": seed}
