"""Recipes of training, by architecture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

BadData = Literal["skip", "refuse"]
"""What to do with images that cannot be used."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a training run.

    Attributes:
        architecture: a key of ``models.architectures.ARCHITECTURES``.
        optimizer: ``adam``, or ``sgd`` with Nesterov momentum 0.9.
        learning_rate: its peak; from there it falls to zero along half a cosine.
        warmup_epochs: epochs over which it first rises from zero.
        weight_decay: decoupled (Loshchilov and Hutter, ICLR 2019), of kernels only.
        averaging: momentum of the running average of weights, a step; 0 for none.
        votes_share: share of FER+'s votes in the label of a face that has some; the rest is
            FER-2013's label.
        logit_adjustment: power of the classes' shares that probabilities are divided by (Menon et
            al., ICLR 2021), so that rare expressions are found, too; 0 for none.
        rotation, shear: largest angles of augmentation, radians.
        zoom: largest change of size in augmentation, relative.
        shift: largest displacement in augmentation, as a share of the image.
        light: largest change of brightness and contrast in augmentation, relative.
        cutout: largest side of a patch that is painted grey, as a share of the image.
        video_faults: probability that augmentation makes a face as small as in video; of blur,
            noise and compression each half of it.
        mixup: a face is blended with another by a share from Beta(mixup, mixup), and their labels
            likewise (Zhang et al., ICLR 2018); 0 for none.
        distillation: share of the teachers' probabilities in a label, if there are teachers (Hinton
            et al., 2015).
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
    votes_share: float = 0.9
    logit_adjustment: float = 0.25
    rotation: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    light: float = 0.0
    cutout: float = 0.0
    video_faults: float = 0.0
    mixup: float = 0.0
    distillation: float = 0.0
    precision: str = "float32"
    seed: int = 1


_RESIDUAL = Recipe(
    architecture="residual",
    epochs=44,
    warmup_epochs=2,
    weight_decay=5e-3,
    averaging=0.998,
    rotation=0.25,
    shear=0.1,
    zoom=0.15,
    shift=0.08,
    light=0.25,
    cutout=0.3,
    video_faults=0.25,
    distillation=0.6,
    precision="mixed_bfloat16",
)

RECIPES = {
    "residual": _RESIDUAL,
    "mobilenet": replace(
        _RESIDUAL,
        architecture="mobilenet",
        epochs=12,
        optimizer="adam",
        learning_rate=3e-4,
        warmup_epochs=0,
        weight_decay=0.05,
        logit_adjustment=0.0,
        distillation=0.0,
        seed=4,
    ),
}
"""By architecture; the first is the default, and the one that ships."""

TEACHER = replace(_RESIDUAL, epochs=24, logit_adjustment=0.0, distillation=0.0, seed=3)
"""Of the shape of the student, which begins with its weights."""
