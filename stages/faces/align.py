"""Cut faces out of the picture the way FER-2013's were cut.

Five landmarks are laid on their mean place in FER-2013's training faces by the similarity
transform of least squares (Umeyama 1991), so that the network sees what it was trained on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.emotions import FACE_SIZE_PX
from stages.batch import FrameBatch
from stages.frames import yuv_planes
from stages.geometry import cut_out, similarity_transform

TEMPLATE_PX = np.array(
    [(15.1, 18.4), (33.3, 18.3), (24.5, 29.0), (17.2, 36.5), (32.4, 36.3)], dtype=np.float64
)
"""Mean landmarks of FER-2013's training faces, in their 48x48 pixels: (5, 2), x and y."""

FULL_RANGE = np.clip((np.arange(256) - 16) * 255 / 219, 0, 255).round().astype(np.uint8)
"""From video's limited range of luma (ITU-R BT.601: 16 to 235) to 0 to 255, as in FER-2013."""


class AlignStage:
    """Fills ``crops`` from ``landmarks`` and the Y plane of ``pixels``."""

    def process(self, batch: FrameBatch) -> FrameBatch:
        if not len(batch.boxes):
            return batch
        crops = [
            aligned_crop(yuv_planes(batch.pixels[frame])[0], landmarks)
            for frame, landmarks in zip(batch.face_frame, batch.landmarks, strict=True)
        ]
        return replace(batch, crops=FULL_RANGE[np.stack(crops)])


def aligned_crop(grey: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut out one face.

    Args:
        grey: (h, w) uint8.
        landmarks: (5, 2), x and y in pixels of ``grey``.

    Returns:
        (48, 48) uint8. Beyond the picture's edge its last pixels are repeated.
    """
    transform = similarity_transform(landmarks.astype(np.float64), TEMPLATE_PX)
    return cut_out(grey, transform, FACE_SIZE_PX)
