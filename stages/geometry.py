"""Geometry that stages share: IoU of boxes, eye lines, similarity transforms, crops."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.frames import yuv_planes

THUMBNAIL_PX = (32, 18)
"""Width and height of a thumbnail."""

THUMBNAIL_LINES = 2 * THUMBNAIL_PX[1]
"""Lines of a frame that are read for its thumbnail: enough for a mean."""


def iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Intersection over union of boxes (..., 4): x, y, width, height. Broadcasts."""
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    sides = np.maximum(high - low, 0)
    common = sides[..., 0] * sides[..., 1]
    union = a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - common
    return np.asarray(common / np.maximum(union, 1e-9))


def eye_lines(landmarks: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Length and turn of the line from one eye to the other.

    Args:
        landmarks: (m, 5, 2), as in ``FrameBatch``.

    Returns:
        (m,) float64 in pixels, and (m,) float64 in degrees, positive for a face turned clockwise.
    """
    x, y = (landmarks[:, 1] - landmarks[:, 0]).astype(np.float64).T
    return np.hypot(x, y), np.rad2deg(np.arctan2(y, x))


def similarity_transform(
    points: NDArray[np.float64], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The least-squares similarity transform from points to targets (Umeyama 1991).

    Args:
        points: (..., k, 2) float64: of one face, or of many.
        targets: (k, 2) float64.

    Returns:
        (..., 2, 3) float64: rotation, scale and shift, as OpenCV's ``warpAffine`` takes it.
    """
    z, w = points @ (1, 1j), targets @ (1, 1j)
    z_mean, w_mean = z.mean(axis=-1, keepdims=True), w.mean()
    conjugate = (z - z_mean).conj()
    spread = (conjugate * (z - z_mean)).real.sum(axis=-1)
    turn = (conjugate * (w - w_mean)).sum(axis=-1) / np.maximum(spread, 1e-9)
    shift = w_mean - turn * z_mean[..., 0]
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def crop(
    plane: NDArray[np.uint8], transform: NDArray[np.float64], side_px: int
) -> NDArray[np.uint8]:
    """Cut a square out of a picture; one that is larger is averaged down, without aliasing.

    Args:
        plane: (h, w) uint8.
        transform: (2, 3) float64, from the picture to the square.
        side_px: side of the square.

    Returns:
        (side_px, side_px) uint8. Beyond the picture's edge, its last pixels are repeated.
    """
    shrink = int(1 / max(np.hypot(transform[0, 0], transform[1, 0]), 1e-3))
    if shrink > 1:
        plane, transform = _shrunk_region(plane, transform, shrink, side_px)
    square = cv2.warpAffine(
        plane,
        transform,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(square, np.uint8)


def crop_colour(
    pixels: NDArray[np.uint8], transform: NDArray[np.float64], side_px: int
) -> NDArray[np.uint8]:
    """What ``crop_yuv`` cuts out, as (side_px, side_px, 3) uint8 BGR, as if it were in BT.601."""
    square = crop_yuv(pixels, transform, side_px)
    return np.asarray(cv2.cvtColor(square, cv2.COLOR_YUV2BGR_I420), np.uint8)


def crop_yuv(
    pixels: NDArray[np.uint8], transform: NDArray[np.float64], side_px: int
) -> NDArray[np.uint8]:
    """Cut a square out of a frame, in colour, as ``crop`` does.

    Args:
        pixels: (h * 3 / 2, w) uint8, planar YUV 4:2:0.
        transform: (2, 3) float64, from the picture to the square.
        side_px: side of the square, even.

    Returns:
        (side_px * 3 / 2, side_px) uint8, planar YUV 4:2:0.
    """
    planes = []
    for plane, share in zip(yuv_planes(pixels), (1, 2, 2), strict=True):
        of_plane = np.column_stack([transform[:, :2], transform[:, 2] / share])
        planes.append(crop(plane, of_plane, side_px // share).reshape(-1))
    return np.concatenate(planes).reshape(side_px * 3 // 2, side_px)


def _shrunk_region(
    plane: NDArray[np.uint8], transform: NDArray[np.float64], factor: int, side_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a picture that a crop needs, averaged down, as bilinear sampling would alias.

    Returns:
        The smaller picture, and the transform from it to the crop.
    """
    height, width = plane.shape
    (left, right), (top, bottom) = (
        _span(row, side_px, factor, length)
        for row, length in zip(
            cv2.invertAffineTransform(transform).tolist(), (width, height), strict=True
        )
    )
    size = (max(1, (right - left) // factor), max(1, (bottom - top) // factor))
    region = cv2.resize(plane[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    zoom = np.array([(right - left) / size[0], (bottom - top) / size[1]])
    # Pixel centres: x_full = (x_small + 0.5) * zoom - 0.5 + left.
    offset = (zoom - 1) / 2 + (left, top)
    shrunk = transform.copy()
    shrunk[:, :2] *= zoom
    shrunk[:, 2] += transform[:, :2] @ offset
    return np.asarray(region, np.uint8), shrunk


def _span(row: list[float], side_px: int, margin: int, length: int) -> tuple[int, int]:
    """From where to where a square reaches in a picture, along one axis, with a margin.

    Args:
        row: of the transform from the square to the picture, for that axis.
        length: of the picture.
    """
    x, y, start = row
    low = start + min(0.0, x * side_px) + min(0.0, y * side_px)
    high = start + max(0.0, x * side_px) + max(0.0, y * side_px)
    first = min(max(math.floor(low) - margin, 0), length - 1)
    return first, min(max(math.ceil(high) + margin, first + 1), length)


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """One frame, (h * 3 / 2, w) uint8, planar YUV 4:2:0, as (18, 32) int16 of 0 to 255."""
    luma = yuv_planes(pixels)[0]
    height, width = luma.shape
    step = max(1, height // THUMBNAIL_LINES)
    # Areas of whole pixels are averaged ten times as fast as others.
    columns = max(1, width // THUMBNAIL_PX[0]) * THUMBNAIL_PX[0]
    lines = luma[: step * THUMBNAIL_LINES : step, :columns]
    return cv2.resize(lines, THUMBNAIL_PX, interpolation=cv2.INTER_AREA).astype(np.int16)
