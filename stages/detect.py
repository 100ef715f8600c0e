"""Find faces: what every detector does, and the stage that runs one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from configs.schema import DetectSettings
from stages.batch import FrameBatch, VideoInfo
from stages.haar import HaarCascade
from stages.mtcnn import MTCNN
from stages.yunet import YuNet


class Detector(Protocol):
    """A way to find faces."""

    def find(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find the faces of one picture, (h, w, 3) uint8 BGR.

        Returns:
            Boxes (m, 4), landmarks (m, 5, 2) and scores (m,), all float32, in pixels of the picture
            and in the order that ``FrameBatch`` describes.
        """
        ...


DETECTORS: dict[str, Callable[[float], Detector]] = {
    "yunet": YuNet,
    "mtcnn": MTCNN,
    "haar": HaarCascade,
}
"""From the name in the settings and the least score to a detector."""


def make_detector(settings: DetectSettings) -> Detector:
    """The detector that the settings name."""
    return DETECTORS[settings.detector](settings.threshold)


class DetectStage:
    """Fills ``face_frame``, ``boxes``, ``landmarks`` and ``scores`` from ``search_images``."""

    def __init__(self, detector: Detector, info: VideoInfo) -> None:
        self._detector = detector
        self._info = info

    def process(self, batch: FrameBatch) -> FrameBatch:
        if not len(batch):
            return batch
        found = [self._detector.find(image) for image in batch.search_images]
        boxes, landmarks, scores = (np.concatenate(column) for column in zip(*found, strict=True))
        height, width = batch.search_images.shape[1:3]
        scale = np.array([batch.pixels.shape[2] / width, batch.pixels.shape[1] * 2 / 3 / height])
        return replace(
            batch,
            face_frame=np.repeat(np.arange(len(batch)), [len(faces[0]) for faces in found]),
            boxes=self._inside_picture(boxes * np.tile(scale, 2)),
            landmarks=(landmarks * scale).astype(np.float32),
            scores=scores,
        )

    def _inside_picture(self, boxes: np.ndarray) -> np.ndarray:
        size = (self._info.width, self._info.height)
        corner = np.clip(boxes[:, :2], 0, size)
        opposite = np.clip(boxes[:, :2] + boxes[:, 2:], 0, size)
        return np.hstack([corner, opposite - corner]).astype(np.float32)
