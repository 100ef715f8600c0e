"""The interface of face detectors, and what they return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Faces:
    """The faces of one picture, column-wise, in its pixels.

    Attributes:
        boxes: (m, 4) float32, x, y, width, height.
        landmarks: (m, 5, 2) float32, x and y, in the order of ``FrameBatch.landmarks``.
        scores: (m,) float32, 0 to 1.
    """

    boxes: np.ndarray
    landmarks: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, chosen: np.ndarray) -> Faces:
        """Some of the faces, by indices or by a mask."""
        return Faces(self.boxes[chosen], self.landmarks[chosen], self.scores[chosen])

    def shifted(self, x: float, y: float) -> Faces:
        """The same faces, shifted to the right and down."""
        offset = np.array([x, y], np.float32)
        boxes = self.boxes + np.array([x, y, 0, 0], np.float32)
        return Faces(boxes, self.landmarks + offset, self.scores)

    def interpolated(self, other: Faces, share: float) -> Faces:
        """Linear interpolation to the same faces in ``other``: 0 is here, 1 is there."""

        def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return (a + (b - a) * share).astype(np.float32)

        return Faces(
            between(self.boxes, other.boxes),
            between(self.landmarks, other.landmarks),
            between(self.scores, other.scores),
        )


NO_FACES = Faces(
    np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32), np.empty(0, np.float32)
)


def joined(parts: Sequence[Faces]) -> Faces:
    """The faces of several pictures or regions, one after the other."""
    parts = [NO_FACES, *parts]
    return Faces(
        np.concatenate([faces.boxes for faces in parts]),
        np.concatenate([faces.landmarks for faces in parts]),
        np.concatenate([faces.scores for faces in parts]),
    )


class Detector(Protocol):
    """Finds faces; see ``stages/faces/yunet.py`` for an example.

    Attributes:
        finds_landmarks: whether it finds them, or places them by the face's box.
    """

    finds_landmarks: bool

    def find(self, image: np.ndarray) -> Faces:
        """Find the faces of one picture, (h, w, 3) uint8 BGR."""
        ...
