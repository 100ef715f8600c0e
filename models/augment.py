"""Augmentation of training faces, in OpenCV on the CPU.

It depends only on seed, epoch and batch, and on no deep-learning backend: a training run sees the
same images under TensorFlow, JAX and PyTorch, and again after an interruption.
"""

from __future__ import annotations

import math

import cv2
import keras
import numpy as np

from models.dataset import TrainingData
from models.degrade import as_in_video
from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.recipe import Recipe

CENTRE = (FACE_SIZE_PX - 1) / 2


class AugmentedFaces(keras.utils.PyDataset):
    """Shuffled, augmented batches of (images, targets).

    Images are (b, 48, 48, 1) float32, 0 to 255; targets (b, 7) float32, rows summing to 1. The
    last, incomplete batch of an epoch is left out; its images differ from epoch to epoch.
    """

    def __init__(self, data: TrainingData, recipe: Recipe) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._images, self._targets = data.faces.images, label_distributions(data, recipe)
        self._recipe = recipe
        self.start_epoch(0)

    @property
    def class_shares(self) -> np.ndarray:
        """(7,), summing to 1: share of each expression in the targets."""
        return self._targets.mean(axis=0)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for an epoch; the training loop calls this before each."""
        self._epoch = epoch
        rng = np.random.default_rng((self._recipe.seed, epoch))
        self._order = rng.permutation(len(self._images))

    def __len__(self) -> int:
        return max(1, len(self._images) // self._recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self._recipe.seed, self._epoch, index))
        first = index * self._recipe.batch_size
        chosen = self._order[first : first + self._recipe.batch_size]
        images = np.stack([augmented(self._images[i], rng, self._recipe) for i in chosen])
        images = images[..., None].astype(np.float32)
        targets = self._targets[chosen]
        if not self._recipe.mixup:
            return images, targets
        shares = rng.beta(self._recipe.mixup, self._recipe.mixup, len(chosen)).astype(np.float32)
        partners = rng.permutation(len(chosen))
        return _blended(images, partners, shares), _blended(targets, partners, shares)


def label_distributions(data: TrainingData, recipe: Recipe) -> np.ndarray:
    """The targets of training, (n, 7) float32, rows summing to 1.

    FER-2013's label and FER+'s votes, where there are any, mixed by ``votes_share``; the result and
    the teachers' probabilities, if there are teachers, mixed by ``distillation``.
    """
    targets = np.eye(len(EMOTIONS), dtype=np.float32)[data.faces.labels]
    if data.votes is not None:
        share = recipe.votes_share * data.votes.any(axis=1, keepdims=True)
        targets = targets * (1 - share) + data.votes * share
    if data.teacher_probabilities is not None:
        taught = recipe.distillation
        targets = targets * (1 - taught) + data.teacher_probabilities * taught
    return targets.astype(np.float32)


def _blended(values: np.ndarray, partners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    shares = shares.reshape(-1, *(1,) * (values.ndim - 1))
    return values * shares + values[partners] * (1 - shares)


def augmented(image: np.ndarray, rng: np.random.Generator, recipe: Recipe) -> np.ndarray:
    """A face, (48, 48) uint8, changed at random within the limits of the recipe."""
    view = cv2.warpAffine(
        image,
        _random_affine(rng, recipe),
        image.shape[::-1],
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if recipe.light:
        contrast, brightness = 1 + rng.uniform(-recipe.light, recipe.light, size=2)
        levels = (np.arange(256) - 128) * contrast + 128 * brightness
        view = cv2.LUT(view, levels.clip(0, 255).astype(np.uint8))
    if recipe.cutout and rng.random() < 0.5:
        side = int(rng.uniform(0, recipe.cutout) * FACE_SIZE_PX)
        x, y = rng.integers(0, FACE_SIZE_PX, size=2) - side // 2
        view[max(0, y) : y + side, max(0, x) : x + side] = 128
    return as_in_video(view, rng, recipe.video_faults) if recipe.video_faults else view


def _random_affine(rng: np.random.Generator, recipe: Recipe) -> np.ndarray:
    """A (2, 3) matrix about the image's centre: mirror, zoom by axis, shear, rotation, shift."""
    angle = rng.uniform(-recipe.rotation, recipe.rotation)
    slope = math.tan(rng.uniform(-recipe.shear, recipe.shear))
    zoom_x, zoom_y = rng.uniform(1 - recipe.zoom, 1 + recipe.zoom, size=2)
    mirror = -1 if rng.random() < 0.5 else 1
    shift = rng.uniform(-recipe.shift, recipe.shift, size=2) * FACE_SIZE_PX
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = turn @ [[mirror * zoom_x, slope * zoom_y], [0, zoom_y]]
    offset = CENTRE - linear @ (CENTRE, CENTRE) + shift
    return np.column_stack([linear, offset])
