"""Cut faces for networks of any kind: once for each kind of crop that those of a run need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from models.crops import Crop
from stages.batch import FrameBatch
from stages.colours import rgb_from_yuv
from stages.faces.align import FULL_RANGE
from stages.frames import yuv_planes
from stages.geometry import crop, similarity_transform

CHROMA_DOWN_PX = 0.5
"""By which samples of chroma lie below those of luma at their place; they are as far left (H.264's
and HEVC's default)."""


class CropStage:
    """Fills ``further_crops`` from ``boxes``, ``landmarks`` and ``pixels``.

    Args:
        kinds: of crops, without that of ``FrameBatch.crops``.
        colorspace: FFmpeg's number for that of the pixels; that of ``FrameBatch.info`` from there
            on.
    """

    def __init__(self, kinds: Sequence[Crop], colorspace: int) -> None:
        self._kinds, self._colorspace = kinds, colorspace

    def process(self, batch: FrameBatch) -> FrameBatch:
        if batch.info is not None:
            self._colorspace = batch.info.colorspace
        if not len(batch.boxes):
            return batch
        faces = list(zip(batch.face_frame, batch.boxes, batch.landmarks, strict=True))
        return replace(
            batch,
            further_crops={
                kind: np.stack([
                    cut(batch.pixels[frame], transform_to(kind, box, landmarks), kind,
                        self._colorspace)
                    for frame, box, landmarks in faces
                ])
                for kind in self._kinds
            },
        )  # fmt: skip


def transform_to(kind: Crop, box: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The transform from a picture to a crop, (2, 3) float64, between centres of pixels.

    Args:
        box: (4,), x, y, width, height in pixels.
        landmarks: (5, 2), x and y in pixels.
    """
    if kind.landmarks is not None:
        return similarity_transform(landmarks.astype(np.float64), np.array(kind.landmarks))
    x, y, width, height = box.astype(np.float64)
    side = max(width, height, 1.0) * (1 + 2 * kind.margin)
    zoom = kind.size_px / side
    left_top = np.array([x + width / 2, y + height / 2]) - side / 2
    # Boxes are measured from the edge of the first pixel.
    shift = (0.5 - left_top) * zoom - 0.5
    return np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])


def cut(pixels: np.ndarray, transform: np.ndarray, kind: Crop, colorspace: int) -> np.ndarray:
    """Cut one face out of a frame.

    Args:
        pixels: (h * 3 / 2, w) uint8, planar YUV 4:2:0 of limited range.
        transform: (2, 3) float64, from the picture to the crop.
        colorspace: FFmpeg's number.

    Returns:
        (size, size) uint8 grey, or (size, size, 3) uint8 RGB, of full range. Beyond the picture's
        edge, its last pixels are repeated.
    """
    luma, *chroma = yuv_planes(pixels)
    grey = crop(luma, transform, kind.size_px)
    if not kind.colour:
        return FULL_RANGE[grey]
    of_chroma = transform.copy()
    of_chroma[:, :2] *= 2
    of_chroma[:, 2] += transform[:, 1] * CHROMA_DOWN_PX
    yuv = cv2.merge([grey, *(crop(plane, of_chroma, kind.size_px) for plane in chroma)])
    return cv2.transform(yuv, rgb_from_yuv(colorspace))
