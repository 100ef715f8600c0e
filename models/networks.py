"""The networks: from (b, 48, 48, 1) grey values 0 to 255 to (b, 7) probabilities.

A network is ``features``, the part that an architecture defines, and one dense layer on top. It is
built twice: as a learner, for training, and as the plain network that is kept and runs everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
from keras import layers, ops

from models.emotions import EMOTIONS, FACE_SIZE_PX

NewLayer = Callable[[], layers.Layer]


@dataclass(frozen=True)
class Architecture:
    """One way to look at a face.

    Attributes:
        features: from (b, 48, 48, 1) values of -1 to 1 to (b, k) features; its second argument
            makes batch normalisation layers.
        mirrored: the network looks at the face and its mirror image, and averages the two.
    """

    features: Callable[[keras.KerasTensor, NewLayer], keras.KerasTensor]
    mirrored: bool


def build(architecture: str, precision: str = "float32") -> keras.Model:
    """The untrained network of that name (a key of ``ARCHITECTURES``), of a Keras dtype policy."""
    with _dtype_policy(precision):
        faces = keras.Input((FACE_SIZE_PX, FACE_SIZE_PX, 1), name="face")
        views = faces
        if ARCHITECTURES[architecture].mirrored:
            views = ops.concatenate([faces, ops.flip(faces, axis=2)], axis=0)
        logits = _emotion_layer()(_features(architecture, layers.BatchNormalization)(views))
        if ARCHITECTURES[architecture].mirrored:
            straight, mirrored = ops.split(logits, 2, axis=0)
            logits = (straight + mirrored) / 2
        probabilities = layers.Softmax(name="probabilities", dtype="float32")(logits)
        return keras.Model(faces, probabilities, name=architecture)


def build_learner(architecture: str, kinds_of_vote: int, precision: str) -> keras.Model:
    """The same network for training: logits as a dictionary, and a second task if there are votes.

    Args:
        architecture: a key of ``ARCHITECTURES``.
        kinds_of_vote: length of FER+'s distribution of votes, of which ``votes`` are the logits; 0
            for none.
        precision: Keras dtype policy.
    """
    with _dtype_policy(precision):
        faces = keras.Input((FACE_SIZE_PX, FACE_SIZE_PX, 1), name="face")
        features = _features(architecture, _training_normalisation)(faces)
        outputs = {"emotion": _emotion_layer()(features)}
        if kinds_of_vote:
            outputs["votes"] = layers.Dense(kinds_of_vote, name="votes", dtype="float32")(features)
        return keras.Model(faces, outputs, name=architecture)


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Take what a learner has learnt into the plain network of its architecture, or back."""
    for name in ("features", "emotion"):
        target.get_layer(name).set_weights(source.get_layer(name).get_weights())


def _features(architecture: str, normalisation: NewLayer) -> keras.Model:
    faces = keras.Input((FACE_SIZE_PX, FACE_SIZE_PX, 1))
    scaled = layers.Rescaling(1 / 127.5, offset=-1)(faces)
    features = ARCHITECTURES[architecture].features(scaled, normalisation)
    return keras.Model(faces, features, name="features")


def _emotion_layer() -> layers.Layer:
    return layers.Dense(len(EMOTIONS), name="emotion", dtype="float32")


def seed(x: keras.KerasTensor, normalisation: NewLayer) -> keras.KerasTensor:
    """Three convolution blocks and two dense layers, as in the first of this program's networks."""
    for filters, size in ((64, 5), (128, 3), (128, 3)):
        x = _convolution(x, filters, size, normalisation)
        x = layers.MaxPooling2D()(x)
        x = layers.Dropout(0.25)(x)
    x = layers.Flatten()(x)
    for units in (128, 128):
        x = layers.ReLU()(normalisation()(layers.Dense(units, use_bias=False)(x)))
        x = layers.Dropout(0.3)(x)
    return x


def residual(x: keras.KerasTensor, normalisation: NewLayer) -> keras.KerasTensor:
    """Two convolutions at 48x48, then residual blocks (He et al., CVPR 2016) at 24, 12 and 6."""
    for _ in range(2):
        x = _convolution(x, 32, 3, normalisation)
    for filters in (64, 160, 320):
        x = layers.MaxPooling2D()(x)
        shortcut = normalisation()(layers.Conv2D(filters, 1, use_bias=False)(x))
        x = _convolution(x, filters, 3, normalisation)
        x = normalisation()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))
        x = layers.ReLU()(layers.Add()([shortcut, x]))
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dropout(0.3)(x)


def _convolution(
    x: keras.KerasTensor, filters: int, size: int, normalisation: NewLayer
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
    return layers.ReLU()(normalisation()(x))


ARCHITECTURES = {
    "residual": Architecture(residual, mirrored=True),
    "seed": Architecture(seed, mirrored=False),
}


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
