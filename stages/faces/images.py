"""Frames downscaled for detection."""

from __future__ import annotations

import cv2
import numpy as np

from stages.frames import yuv_planes
from stages.glance import glance


class SmallImages:
    """Frames downscaled for detection, each when it is asked for; never enlarged.

    Args:
        pixels: (n, H * 3 / 2, W) uint8, planar YUV 4:2:0.
        width_px: longer side of the images, at most.

    Attributes:
        size: height and width of the images, even.
    """

    def __init__(self, pixels: np.ndarray, width_px: int) -> None:
        full_size = pixels.shape[1] * 2 // 3, pixels.shape[2]
        scale = min(1.0, width_px / max(full_size))
        self._pixels = pixels
        self.size = tuple(max(2, round(side * scale / 2) * 2) for side in full_size)

    def __getitem__(self, index: int) -> np.ndarray:
        """The image of one frame, (h, w, 3) uint8 BGR."""
        height, width = self.size
        small = np.empty((height * 3 // 2, width), np.uint8)
        planes = yuv_planes(self._pixels[index])
        for plane, target in zip(planes, yuv_planes(small), strict=True):
            cv2.resize(plane, target.shape[::-1], dst=target, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(small, cv2.COLOR_YUV2BGR_I420)

    def glance(self, index: int) -> np.ndarray:
        """The frame as a tiny grey picture, (18, 32) int16."""
        return glance(self._pixels[index])
