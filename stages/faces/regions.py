"""Regions of a picture in which to detect faces that are expected there."""

from __future__ import annotations

import numpy as np

GRID_PX = 32
"""Regions are aligned to the detector's coarsest stride, so that it sees them as it sees the whole
picture."""

MARGIN_PX = 80
"""Around a face, for its motion and for the detector's context: with less, faces get lower scores
and shifted boxes."""


def regions_around(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Rectangles that hold the boxes with a margin, and do not overlap each other.

    Args:
        boxes: (m, 4), x, y, width, height in pixels.
        size: height and width of the picture.

    Returns:
        (r, 4) int64: left, top, right, bottom in pixels; multiples of ``GRID_PX``, except
        at the picture's edge.
    """
    if not len(boxes):
        return np.empty((0, 4), np.int64)
    low = np.floor((boxes[:, :2] - MARGIN_PX) / GRID_PX) * GRID_PX
    high = np.ceil((boxes[:, :2] + boxes[:, 2:] + MARGIN_PX) / GRID_PX) * GRID_PX
    limits = size[::-1]
    regions = np.hstack([np.clip(low, 0, limits), np.clip(high, 0, limits)]).astype(np.int64)
    return _merged(regions[(regions[:, :2] < regions[:, 2:]).all(axis=1)])


def area(regions: np.ndarray) -> int:
    """Pixels of all regions together."""
    return int(np.prod(regions[:, 2:] - regions[:, :2], axis=1).sum())


def _merged(regions: np.ndarray) -> np.ndarray:
    """Regions of which those that overlap are merged into one."""
    merged: list[np.ndarray] = []
    for region in regions:
        while True:
            apart = [not _overlap(region, other) for other in merged]
            if all(apart):
                break
            first = apart.index(False)
            other = merged.pop(first)
            region = np.concatenate(
                [np.minimum(region[:2], other[:2]), np.maximum(region[2:], other[2:])]
            )
        merged.append(region)
    return np.array(merged, np.int64).reshape(-1, 4)


def _overlap(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((np.maximum(a[:2], b[:2]) < np.minimum(a[2:], b[2:])).all())
