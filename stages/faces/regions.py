"""Where in a picture to look for faces that are known to be about."""

from __future__ import annotations

import numpy as np

GRID_PX = 32
"""Regions begin and end at multiples of this, the detector's coarsest stride, so that it sees them
as it sees the whole picture."""

ROOM = 1.0
"""Room about a face, in its sides: for its motion, and for what a detector sees around it."""

LEAST_ROOM_PX = 64
"""With less around them, small faces are found less surely, and at a slightly other place."""


def regions_around(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Rectangles that hold the boxes with some room about them, and do not overlap each other.

    Args:
        boxes: (m, 4), x, y, width, height in pixels.
        size: height and width of the picture.

    Returns:
        (r, 4) int64: left, top, right, bottom in pixels; sides are multiples of ``GRID_PX``, but
        where the picture ends.
    """
    if not len(boxes):
        return np.empty((0, 4), np.int64)
    room = np.maximum(LEAST_ROOM_PX, ROOM * boxes[:, 2:].max(axis=1, keepdims=True))
    low = np.floor((boxes[:, :2] - room) / GRID_PX) * GRID_PX
    high = np.ceil((boxes[:, :2] + boxes[:, 2:] + room) / GRID_PX) * GRID_PX
    limits = size[::-1]
    regions = np.hstack([np.clip(low, 0, limits), np.clip(high, 0, limits)]).astype(np.int64)
    return _without_overlaps(regions[(regions[:, :2] < regions[:, 2:]).all(axis=1)])


def area(regions: np.ndarray) -> int:
    """Pixels in all regions together."""
    return int(np.prod(regions[:, 2:] - regions[:, :2], axis=1).sum())


def _without_overlaps(regions: np.ndarray) -> np.ndarray:
    """The same area in regions of which those that overlap have become one."""
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
