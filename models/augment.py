"""Random views of training faces: shear, zoom and mirror image, in OpenCV on the CPU.

Written without a deep-learning backend, so a training run sees the same images under TensorFlow,
JAX and PyTorch, and again after an interruption: the views depend only on seed, epoch and batch.
"""

from __future__ import annotations

import math

import cv2
import keras
import numpy as np

from models.dataset import LabelledFaces
from models.emotions import EMOTIONS, FACE_SIZE_PX

CENTRE = (FACE_SIZE_PX - 1) / 2


class AugmentedFaces(keras.utils.PyDataset):
    """Shuffled, augmented batches of (images, one-hot labels).

    Batches are (b, 48, 48, 1) float32 of 0 to 255 and (b, 7) float32. The last, incomplete batch
    of an epoch is left out; shuffling gives its images their turn in other epochs.
    """

    def __init__(
        self, faces: LabelledFaces, batch_size: int, seed: int, shear: float, zoom: float
    ) -> None:
        super().__init__()
        self._faces = faces
        self._batch_size = batch_size
        self._seed = seed
        self._shear = shear
        self._zoom = zoom
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch; the training loop calls it before each."""
        self._epoch = epoch
        self._order = np.random.default_rng((self._seed, epoch)).permutation(len(self._faces))

    def __len__(self) -> int:
        return max(1, len(self._faces) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self._seed, self._epoch, index))
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        images = np.stack(
            [random_view(self._faces.images[i], rng, self._shear, self._zoom) for i in chosen]
        )
        targets = np.eye(len(EMOTIONS), dtype=np.float32)[self._faces.labels[chosen]]
        return images[..., None].astype(np.float32), targets


def random_view(
    image: np.ndarray, rng: np.random.Generator, shear: float, zoom: float
) -> np.ndarray:
    """One random view of a face.

    Args:
        image: (48, 48) uint8.
        rng: source of randomness.
        shear: largest shear, in radians.
        zoom: largest relative change of size, each axis on its own.
    """
    slope = math.tan(rng.uniform(-shear, shear))
    zoom_x, zoom_y = rng.uniform(1 - zoom, 1 + zoom, size=2)
    mirror = -1 if rng.random() < 0.5 else 1
    linear = np.array([[mirror * zoom_x, slope * zoom_y], [0, zoom_y]])
    offset = CENTRE - linear @ (CENTRE, CENTRE)
    return cv2.warpAffine(
        image,
        np.column_stack([linear, offset]),
        image.shape[::-1],
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
