"""Align faces to FER-2013's, which the network is trained on.

The least-squares similarity transform (Umeyama 1991) brings the five landmarks of a face to their
mean positions in FER-2013's training faces.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from configs.schema import UsableSettings
from models.crops import FER_LANDMARKS
from models.emotions import FACE_SIZE_PX
from stages.batch import FrameBatch
from stages.frames import yuv_planes
from stages.geometry import crop, eye_lines, similarity_transform

TEMPLATE_PX = np.array(FER_LANDMARKS)
"""(5, 2) float64, x and y."""

FULL_RANGE = np.clip((np.arange(256) - 16) * 255 / 219, 0, 255).round().astype(np.uint8)
"""Look-up table from the limited range of video (ITU-R BT.601: 16 to 235) to 0 to 255."""


class AlignStage:
    """Fills ``crops``, ``crop_sides`` and ``usable`` from ``landmarks`` and the Y plane of
    ``pixels``.

    Args:
        usable: which faces are large enough, and seen enough from the front, to be relied on.
    """

    def __init__(self, usable: UsableSettings) -> None:
        self._usable = usable

    def process(self, batch: FrameBatch) -> FrameBatch:
        if not len(batch.boxes):
            return batch
        transforms = to_template(batch.landmarks)
        crops = [
            crop(yuv_planes(batch.pixels[frame])[0], transform, FACE_SIZE_PX)
            for frame, transform in zip(batch.face_frame, transforms, strict=True)
        ]
        # Landmarks in one point have the scale 0.
        scales = np.maximum(np.linalg.norm(transforms[:, 0, :2], axis=1), 1e-3)
        return replace(
            batch,
            crops=FULL_RANGE[np.stack(crops)],
            crop_sides=(FACE_SIZE_PX / scales).astype(np.float32),
            usable=self._are_usable(batch.landmarks, transforms),
        )

    def _are_usable(
        self, landmarks: NDArray[np.floating], transforms: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        limits = self._usable
        # As the table prints it, so that it does not contradict itself.
        large = eye_lines(landmarks)[0].round(1) >= limits.min_eyes_px
        return large & (_landmark_errors(landmarks, transforms) <= limits.max_landmark_error)


def aligned_crop(grey: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Crop one face.

    Args:
        grey: (h, w) uint8.
        landmarks: (5, 2), x and y in pixels of ``grey``.

    Returns:
        (48, 48) uint8. Beyond the picture's edge, its last pixels are repeated.
    """
    return crop(grey, to_template(landmarks), FACE_SIZE_PX)


def to_template(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """The similarity transform from a picture to a crop, (..., 2, 3) float64, for (..., 5, 2)
    landmarks."""
    return similarity_transform(landmarks.astype(np.float64), TEMPLATE_PX)


def _landmark_errors(
    landmarks: NDArray[np.floating], transforms: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The largest distance of a landmark from the template's, on each crop: (m,) float32."""
    placed = landmarks @ transforms[:, :, :2].transpose(0, 2, 1) + transforms[:, None, :, 2]
    distances = np.linalg.norm(placed - TEMPLATE_PX, axis=2)
    return np.asarray(distances.max(axis=1), np.float32)
