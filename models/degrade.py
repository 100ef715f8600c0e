"""Degrade faces as video does: small, blurred, noisy, compressed. FER-2013's are none of these."""

from __future__ import annotations

import cv2
import numpy as np

from models.emotions import FACE_SIZE_PX

SMALLEST_PX, LARGEST_PX = 12, 36
"""Limits of the side to which a face is shrunk. At 26 pixels, its eyes are 10 pixels apart."""

TYPICAL_SIDES_PX = (16, 24)
"""Sides at which networks are calibrated and scored; at 24 pixels, eyes are 9 pixels apart."""

MAX_BLUR_PX = 1.6
MAX_NOISE = 12.0  # standard deviation, of 255 grey levels
WORST_JPEG, BEST_JPEG = 15, 60


def shrunk(face: np.ndarray, side_px: int) -> np.ndarray:
    """A face with the detail of one of that size in a video.

    Args:
        face: (48, 48) uint8, or of another square shape.
        side_px: side that it is shrunk to before it is enlarged again.

    Returns:
        uint8, in the shape of the face.
    """
    small = cv2.resize(face, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, face.shape[:2], interpolation=cv2.INTER_LINEAR)


def all_shrunk(faces: np.ndarray, side_px: int) -> np.ndarray:
    """``shrunk`` for each of some faces, (n, ...) uint8."""
    return np.stack([shrunk(face, side_px) for face in faces])


def as_in_video(face: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """A face, degraded at random as in video.

    Args:
        face: (48, 48) uint8.
        share: probability of being small; of blur, noise and compression each half of it.

    Returns:
        (48, 48) uint8.
    """
    small, blurred, noisy, compressed = rng.random(4) < (share, share / 2, share / 2, share / 2)
    side_px = int(rng.integers(SMALLEST_PX, LARGEST_PX + 1)) if small else FACE_SIZE_PX
    if small:
        face = cv2.resize(face, (side_px, side_px), interpolation=cv2.INTER_AREA)
    if blurred:
        sigma_px = rng.uniform(0.4, MAX_BLUR_PX) * side_px / FACE_SIZE_PX
        face = cv2.GaussianBlur(face, (0, 0), sigma_px)
    if noisy:
        noise = rng.normal(0, rng.uniform(0, MAX_NOISE), face.shape)
        face = np.clip(face + noise, 0, 255).astype(np.uint8)
    if compressed:
        quality = int(rng.integers(WORST_JPEG, BEST_JPEG + 1))
        _, jpeg = cv2.imencode(".jpg", face, (cv2.IMWRITE_JPEG_QUALITY, quality))
        face = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE))
    if small:
        face = cv2.resize(face, (FACE_SIZE_PX, FACE_SIZE_PX), interpolation=cv2.INTER_LINEAR)
    return face
