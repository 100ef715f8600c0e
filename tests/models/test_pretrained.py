"""A teacher begins with weights that were trained to know faces."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from configs.errors import ModelError
from models.architectures import build
from models.pretrained import _normalise, _set_weights, read_weights

RNG = np.random.default_rng(0)


def made_weights() -> dict[str, np.ndarray]:
    """Weights of MobileNet's shapes, at random."""
    weights = {
        "conv1/convolution/merged_input": RNG.normal(0, 0.01, (3, 3, 3, 32)),
        "conv1_bn/batchnorm_1/sub": RNG.normal(1, 1, 32),
    }
    filters = [32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    for number in range(1, 14):
        taken, given = filters[number - 1 : number + 1]
        for name, shape, scale in (
            (f"conv_dw_{number}/depthwise_kernel", (3, 3, taken, 1), 0.3),
            (f"conv_dw_{number}_bn/batchnorm_1/mul", (taken,), 1.0),
            (f"conv_dw_{number}_bn/batchnorm_1/sub", (taken,), 1.0),
            (f"conv_pw_{number}/convolution/merged_input", (1, 1, taken, given), taken**-0.5),
            (f"conv_pw_{number}_bn/batchnorm_1/sub", (given,), 1.0),
        ):
            weights[name] = RNG.normal(0, scale, shape)
    return weights


def write_graph(folder: Path, weights: dict[str, np.ndarray]) -> Path:
    """Weights as TensorFlow.js keeps them: a list of names and shapes, and one file of numbers."""
    entries = [
        {
            "name": name,
            "shape": list(values.shape),
            "dtype": "float32",
            "quantization": {"dtype": "float16", "original_dtype": "float32"},
        }
        for name, values in weights.items()
    ]
    file = folder / "faceres.json"
    file.write_text(
        json.dumps({"weightsManifest": [{"paths": ["faceres.bin"], "weights": entries}]})
    )
    content = b"".join(values.astype(np.float16).tobytes() for values in weights.values())
    file.with_suffix(".bin").write_bytes(content)
    return file


def test_weights_are_read_as_they_are(tmp_path: Path) -> None:
    weights = made_weights()
    found = read_weights(write_graph(tmp_path, weights))
    assert found.keys() == weights.keys()
    for name, values in weights.items():
        np.testing.assert_allclose(found[name], values, atol=5e-3)
    with pytest.raises(ModelError, match="not MobileNet"):
        read_weights(tmp_path / "other.json")


def test_network_is_that_of_keras_and_normalised_features_stay(tmp_path: Path) -> None:
    weights = made_weights()
    features = build("mobilenet").get_layer("features")
    _set_weights(features, weights)
    faces = RNG.integers(0, 256, (40, 48, 48)).astype(np.uint8)
    before = features.predict_on_batch(faces[..., None].astype(np.float32))
    np.testing.assert_allclose(before[:, -1024:], of_keras(weights, faces), rtol=0.02, atol=0.02)
    _normalise(features, faces)
    after = features.predict_on_batch(faces[..., None].astype(np.float32))
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-3)
    layer = next(
        part for part in features.layers if isinstance(part, keras.layers.BatchNormalization)
    )
    assert not np.allclose(layer.get_weights()[3], 1)


def of_keras(weights: dict[str, np.ndarray], faces: np.ndarray) -> np.ndarray:
    """What Keras's own MobileNet makes of grey faces at 96 pixels, averaged: (n, 1024)."""
    network = keras.applications.MobileNet((96, 96, 3), include_top=False, weights=None)
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "Conv2D":
            layer.set_weights([weights[f"{layer.name}/convolution/merged_input"]])
        elif kind == "DepthwiseConv2D":
            scale = weights[f"{layer.name}_bn/batchnorm_1/mul"][:, None]
            layer.set_weights([weights[f"{layer.name}/depthwise_kernel"] * scale])
        elif kind == "BatchNormalization":
            shift = weights[f"{layer.name}/batchnorm_1/sub"]
            one = np.ones_like(shift)
            layer.set_weights([one * np.sqrt(1 + layer.epsilon), shift, 0 * one, one])
    enlarged = keras.ops.image.resize(faces[..., None].astype(np.float32), (96, 96))
    values = np.repeat(np.asarray(enlarged), 3, axis=-1) - (103.939, 116.779, 123.68)
    return np.asarray(network.predict_on_batch(values)).mean(axis=(1, 2))
