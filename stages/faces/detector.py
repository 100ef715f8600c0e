"""The interface of face detectors, and what they return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.frames import yuv_planes
from stages.geometry import thumbnail


@dataclass(frozen=True)
class Faces:
    """The faces of one picture, column-wise, in its pixels.

    Attributes:
        boxes: (m, 4) float32, x, y, width, height.
        landmarks: (m, 5, 2) float32, x and y, in the order of ``FrameBatch.landmarks``.
        scores: (m,) float32, 0 to 1.
    """

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Faces:
        """Some of the faces, by indices or by a mask."""
        return Faces(self.boxes[chosen], self.landmarks[chosen], self.scores[chosen])

    def shifted(self, x: float, y: float) -> Faces:
        """The same faces, shifted to the right and down."""
        offset = np.array([x, y], np.float32)
        boxes = self.boxes + np.array([x, y, 0, 0], np.float32)
        return Faces(boxes, self.landmarks + offset, self.scores)

    def interpolated(self, other: Faces, share: float) -> Faces:
        """Linear interpolation to the same faces in ``other``: 0 is here, 1 is there."""

        def between(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
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

    def find(self, image: NDArray[np.uint8]) -> Faces:
        """Find the faces of one picture, (h, w, 3) uint8 BGR."""
        ...


class SmallImages:
    """Frames downscaled for detection, each when it is asked for; never enlarged.

    Args:
        pixels: (n, H * 3 / 2, W) uint8, planar YUV 4:2:0.
        width_px: longer side of the images, at most.

    Attributes:
        size: height and width of the images, even.
    """

    def __init__(self, pixels: NDArray[np.uint8], width_px: int) -> None:
        full_size = pixels.shape[1] * 2 // 3, pixels.shape[2]
        scale = min(1.0, width_px / max(full_size))
        self._pixels = pixels
        self.size = tuple(max(2, round(side * scale / 2) * 2) for side in full_size)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """The image of one frame, (h, w, 3) uint8 BGR."""
        height, width = self.size
        small = np.empty((height * 3 // 2, width), np.uint8)
        planes = yuv_planes(self._pixels[index])
        for plane, target in zip(planes, yuv_planes(small), strict=True):
            cv2.resize(plane, target.shape[::-1], dst=target, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_YUV2BGR_I420), np.uint8)

    def thumbnail(self, index: int) -> NDArray[np.int16]:
        """The frame as a tiny grey picture, (18, 32) int16."""
        return thumbnail(self._pixels[index])
