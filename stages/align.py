"""Cut faces out of the picture the way FER-2013's were cut.

Five landmarks are laid on their mean place in FER-2013's training faces by the similarity
transform of least squares (Umeyama 1991), so that the network sees what it was trained on.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from models.emotions import FACE_SIZE_PX
from stages.batch import FrameBatch, yuv_planes

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


def cut_out(plane: np.ndarray, transform: np.ndarray, side_px: int) -> np.ndarray:
    """Cut a square out of a picture, averaged down where that is needed.

    Args:
        plane: (h, w) uint8.
        transform: (2, 3) float64, from the picture to the square.
        side_px: of the square.

    Returns:
        (side_px, side_px) uint8. Beyond the picture's edge its last pixels are repeated.
    """
    shrink = int(1 / max(np.hypot(transform[0, 0], transform[1, 0]), 1e-3))
    if shrink > 1:
        plane, transform = _shrunk_region(plane, transform, shrink, side_px)
    return cv2.warpAffine(
        plane,
        transform,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def cut_out_colour(pixels: np.ndarray, transform: np.ndarray, side_px: int) -> np.ndarray:
    """Cut a square out of a frame in colour, as ``cut_out`` does.

    Args:
        pixels: (h * 3 / 2, w) uint8, planar YUV 4:2:0.
        transform: (2, 3) float64, from the picture to the square.
        side_px: of the square, even.

    Returns:
        (side_px, side_px, 3) uint8 BGR.
    """
    planes = []
    for plane, share in zip(yuv_planes(pixels), (1, 2, 2), strict=True):
        of_plane = np.column_stack([transform[:, :2], transform[:, 2] / share])
        planes.append(cut_out(plane, of_plane, side_px // share).reshape(-1))
    flat = np.concatenate(planes).reshape(side_px * 3 // 2, side_px)
    return cv2.cvtColor(flat, cv2.COLOR_YUV2BGR_I420)


def similarity_transform(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Rotation, scale and shift that bring points nearest to targets, in the least squares.

    Args:
        points, targets: (k, 2) float64.

    Returns:
        (2, 3) float64, as OpenCV takes it.
    """
    z, w = points @ (1, 1j), targets @ (1, 1j)
    z_mean, w_mean = z.mean(), w.mean()
    spread = np.vdot(z - z_mean, z - z_mean).real
    turn = np.vdot(z - z_mean, w - w_mean) / max(spread, 1e-9)
    shift = w_mean - turn * z_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _shrunk_region(
    plane: np.ndarray, transform: np.ndarray, factor: int, side_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """The part of a picture that a crop needs, averaged down: bilinear sampling alone would alias.

    Returns:
        The smaller picture, and the transform from it to the crop.
    """
    corners = np.array(
        [(0, 0, 1), (side_px, 0, 1), (0, side_px, 1), (side_px, side_px, 1)],
        dtype=np.float64,
    )
    back = corners @ cv2.invertAffineTransform(transform).T
    height, width = plane.shape
    left, top = np.clip(np.floor(back.min(axis=0)).astype(int) - factor, 0, (width - 1, height - 1))
    right, bottom = np.clip(
        np.ceil(back.max(axis=0)).astype(int) + factor, (left + 1, top + 1), (width, height)
    )
    size = (max(1, (right - left) // factor), max(1, (bottom - top) // factor))
    region = cv2.resize(plane[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    zoom = np.array([(right - left) / size[0], (bottom - top) / size[1]])
    # Pixel centres: x_full = (x_small + 0.5) * zoom - 0.5 + left.
    offset = (zoom - 1) / 2 + (left, top)
    shrunk = transform.copy()
    shrunk[:, :2] *= zoom
    shrunk[:, 2] += transform[:, :2] @ offset
    return region, shrunk
