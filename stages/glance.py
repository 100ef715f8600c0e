"""Frames as tiny grey pictures, which tell cheaply whether the view changed."""

from __future__ import annotations

import cv2
import numpy as np

from stages.frames import yuv_planes

SIZE_PX = (32, 18)
"""Width and height."""

LINES = 2 * SIZE_PX[1]
"""Of a frame that are looked at: enough for a mean, and the others need not be read."""


def glance(pixels: np.ndarray) -> np.ndarray:
    """One frame, (h * 3 / 2, w) uint8, planar YUV 4:2:0, as (18, 32) int16 of 0 to 255."""
    luma = yuv_planes(pixels)[0]
    height, width = luma.shape
    step = max(1, height // LINES)
    # Areas of whole pixels are averaged ten times as fast as others.
    columns = max(1, width // SIZE_PX[0]) * SIZE_PX[0]
    lines = luma[: step * LINES : step, :columns]
    return cv2.resize(lines, SIZE_PX, interpolation=cv2.INTER_AREA).astype(np.int16)
