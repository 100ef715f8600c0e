"""The networks: from (b, 48, 48, 1) grey values 0 to 255 to (b, 7) probabilities.

A network is ``features``, the part that an architecture defines, and one dense layer on top. It is
built twice: as a learner, for training, and as the plain network that is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np
from keras import layers

from models.emotions import EMOTIONS, FACE_SIZE_PX

MOBILENET_MEAN = 114.8
"""Grey level that is taken from the values that ``mobilenet`` sees."""

NewLayer = Callable[[], layers.Layer]

Features = Callable[[keras.KerasTensor, NewLayer], keras.KerasTensor]
"""From (b, 48, 48, 1) grey values to (b, k) features; the second argument makes batch
normalisation layers."""


def build(architecture: str, precision: str = "float32") -> keras.Model:
    """The untrained network; arguments as for ``build_learner``."""
    with _dtype_policy(precision):
        faces = keras.Input((FACE_SIZE_PX, FACE_SIZE_PX, 1), name="face")
        logits = _emotion_layer()(_features(architecture, layers.BatchNormalization)(faces))
        probabilities = layers.Softmax(name="probabilities", dtype="float32")(logits)
        return keras.Model(faces, probabilities, name=architecture)


def build_learner(architecture: str, precision: str) -> keras.Model:
    """The same network for training: its outputs are logits.

    Args:
        architecture: a key of ``ARCHITECTURES``.
        precision: Keras dtype policy.
    """
    with _dtype_policy(precision):
        faces = keras.Input((FACE_SIZE_PX, FACE_SIZE_PX, 1), name="face")
        features = _features(architecture, _training_normalisation)(faces)
        return keras.Model(faces, _emotion_layer()(features), name=architecture)


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy weights from a learner to the plain network of its architecture, or back."""
    for name in ("features", "emotion"):
        target.get_layer(name).set_weights(source.get_layer(name).get_weights())


def adjust_logits(network: keras.Model, class_shares: np.ndarray, power: float) -> None:
    """Divide a network's probabilities by the classes' shares to that power, in its last layer.

    The post-hoc logit adjustment of Menon et al., "Long-tail learning via logit adjustment", ICLR
    2021: at 1 the network answers as if all expressions were equally frequent.

    Args:
        class_shares: (7,), summing to 1, of the targets of training.
    """
    layer = network.get_layer("emotion")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias - power * np.log(np.maximum(class_shares, 1e-4))])


def _features(architecture: str, normalisation: NewLayer) -> keras.Model:
    faces = keras.Input((FACE_SIZE_PX, FACE_SIZE_PX, 1))
    features = ARCHITECTURES[architecture](faces, normalisation)
    return keras.Model(faces, features, name="features")


def _emotion_layer() -> layers.Layer:
    return layers.Dense(len(EMOTIONS), name="emotion", dtype="float32")


def residual(x: keras.KerasTensor, normalisation: NewLayer) -> keras.KerasTensor:
    """Two convolutions at 48x48, then residual blocks (He et al., CVPR 2016) at 24, 12 and 6."""
    x = _scaled(x)
    for _ in range(2):
        x = _convolution(x, 32, 3, normalisation)
    for filters in (64, 160, 320):
        x = _residual_block(layers.MaxPooling2D()(x), filters, normalisation)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dropout(0.3)(x)


def mobilenet(x: keras.KerasTensor, normalisation: NewLayer) -> keras.KerasTensor:
    """MobileNet (Howard et al., 2017) at 96 pixels, averages of three depths: a teacher that begins
    with weights that know faces (``models/pretrained.py``)."""
    x = layers.Resizing(96, 96)(x)
    x = layers.Rescaling(1, offset=-MOBILENET_MEAN)(x)
    x = _padded_convolution(layers.Conv2D(32, 3, 2, use_bias=False), x, normalisation)
    depths = []
    for filters, count in ((64, 1), (128, 2), (256, 2), (512, 6), (1024, 2)):
        for number in range(count):
            strides = 2 if filters > 64 and not number else 1
            padding = "valid" if strides == 2 else "same"
            depthwise = layers.DepthwiseConv2D(3, strides, padding, use_bias=False)
            x = _padded_convolution(depthwise, x, normalisation)
            x = layers.Conv2D(filters, 1, use_bias=False)(x)
            x = layers.ReLU(6)(normalisation()(x))
        depths.append(layers.GlobalAveragePooling2D()(x))
    return layers.Dropout(0.3)(layers.Concatenate()(depths[2:]))


def _padded_convolution(
    layer: layers.Layer, x: keras.KerasTensor, normalisation: NewLayer
) -> keras.KerasTensor:
    """A convolution; one with strides is padded at the far ends alone, as in Keras's MobileNet."""
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x) if layer.padding == "valid" else x
    return layers.ReLU(6)(normalisation()(layer(x)))


def seed(x: keras.KerasTensor, normalisation: NewLayer) -> keras.KerasTensor:
    """Three convolution blocks and two dense layers, as in the program's first network: what the
    baseline of ``bench`` runs."""
    x = _scaled(x)
    for filters, size in ((64, 5), (128, 3), (128, 3)):
        x = _convolution(x, filters, size, normalisation)
        x = layers.MaxPooling2D()(x)
        x = layers.Dropout(0.25)(x)
    x = layers.Flatten()(x)
    for units in (128, 128):
        x = layers.ReLU()(normalisation()(layers.Dense(units, use_bias=False)(x)))
        x = layers.Dropout(0.3)(x)
    return x


def _scaled(faces: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Rescaling(1 / 127.5, offset=-1)(faces)


def _residual_block(
    x: keras.KerasTensor, filters: int, normalisation: NewLayer
) -> keras.KerasTensor:
    shortcut = normalisation()(layers.Conv2D(filters, 1, use_bias=False)(x))
    x = _convolution(x, filters, 3, normalisation)
    x = normalisation()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))
    return layers.ReLU()(layers.Add()([shortcut, x]))


def _convolution(
    x: keras.KerasTensor, filters: int, size: int, normalisation: NewLayer
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
    return layers.ReLU()(normalisation()(x))


ARCHITECTURES: dict[str, Features] = {"residual": residual, "mobilenet": mobilenet, "seed": seed}


def _training_normalisation() -> layers.Layer:
    if keras.backend.backend() == "tensorflow":
        return _FusedBatchNormalization()
    return layers.BatchNormalization()


class _FusedBatchNormalization(layers.BatchNormalization):
    """Batch normalisation through TensorFlow's fused kernel, which Keras 3 does not use.

    On a CPU, an epoch takes two thirds of the time. Inputs may be bfloat16, statistics are float32.
    """

    def __init__(self) -> None:
        super().__init__(dtype="float32", autocast=False)

    def call(self, inputs, training=None, mask=None):  # type: ignore[no-untyped-def]
        if not training or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma.value, self.beta.value, epsilon=self.epsilon, is_training=True
        )
        for moving, current in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + current * (1 - self.momentum))
        return outputs
