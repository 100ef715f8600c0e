"""What decides the outcome of a training run; the recipes of the networks, by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a training run.

    Attributes:
        architecture: a key of ``models.networks.ARCHITECTURES``.
        optimizer: ``adam``, or ``sgd`` with Nesterov momentum 0.9.
        learning_rate: its peak; from there it falls to zero along half a cosine.
        warmup_epochs: epochs over which it first rises from zero.
        weight_decay: decoupled (Loshchilov and Hutter, ICLR 2019), of kernels only.
        averaging: momentum of the running average of weights, a step; 0 for none.
        label_smoothing: share of a label's weight that is spread over all emotions.
        votes_weight: weight of guessing FER+'s votes as a second task; 0 for none.
        rotation, shear: largest angles of augmentation, radians.
        zoom: largest change of size in augmentation, relative.
        shift: largest displacement in augmentation, as a share of the image.
        light: largest change of brightness and contrast in augmentation, relative.
        cutout: largest side of a patch that is painted grey, as a share of the image.
        mixup: a face is blended with another by a share from Beta(mixup, mixup), and their labels
            likewise (Zhang et al., ICLR 2018); 0 for none.
        distillation: share of the teachers' opinion in a label, if there are teachers (Hinton et
            al., 2015).
        precision: Keras dtype policy.
    """

    architecture: str
    epochs: int
    optimizer: str = "sgd"
    batch_size: int = 128
    learning_rate: float = 0.1
    warmup_epochs: int = 0
    weight_decay: float = 0.0
    averaging: float = 0.0
    label_smoothing: float = 0.0
    votes_weight: float = 0.0
    rotation: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    light: float = 0.0
    cutout: float = 0.0
    mixup: float = 0.0
    distillation: float = 0.0
    precision: str = "float32"
    seed: int = 1


RECIPES = {
    "residual": Recipe(
        architecture="residual",
        epochs=80,
        warmup_epochs=3,
        weight_decay=5e-3,
        averaging=0.998,
        label_smoothing=0.1,
        votes_weight=1.0,
        rotation=0.25,
        shear=0.1,
        zoom=0.15,
        shift=0.08,
        light=0.25,
        cutout=0.4,
        distillation=0.6,
        precision="mixed_bfloat16",
    ),
    "seed": Recipe(
        architecture="seed",
        epochs=50,
        optimizer="adam",
        learning_rate=2e-3,
        averaging=0.998,
        label_smoothing=0.1,
        rotation=0.15,
        shear=0.15,
        zoom=0.15,
        shift=0.05,
        precision="mixed_bfloat16",
    ),
}
"""By architecture; the first is the default."""
