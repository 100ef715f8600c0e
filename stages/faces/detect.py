"""The detectors to choose from, and the stage that runs one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from configs.schema import DetectSettings
from stages.batch import FrameBatch, VideoInfo
from stages.faces.detector import Detector, SmallImages, joined
from stages.faces.older_detectors import MTCNN, HaarCascade
from stages.faces.search import FaceSearch
from stages.faces.yunet import YuNet

DETECTORS: dict[str, type[YuNet] | type[MTCNN] | type[HaarCascade]] = {
    "yunet": YuNet,
    "mtcnn": MTCNN,
    "haar": HaarCascade,
}
"""By name in the settings; each is made with the least score of a face."""


def make_detector(settings: DetectSettings) -> Detector:
    """The detector named in the settings.

    Raises:
        MissingPackageError: it is not installed.
    """
    return DETECTORS[settings.detector](settings.threshold)


class DetectStage:
    """Fills ``face_frame``, ``boxes``, ``landmarks`` and ``scores`` from ``pixels``.

    Args:
        live: the batches are from a live stream, which cannot wait for later frames.
    """

    def __init__(
        self, detector: Detector, info: VideoInfo, settings: DetectSettings, live: bool = False
    ) -> None:
        self._search = FaceSearch(detector, settings.interval_s, look_ahead=not live)
        self._info, self._width_px = info, settings.width_px

    def process(self, batch: FrameBatch) -> FrameBatch:
        if not len(batch):
            return batch
        if batch.after_gap:
            self._search.forget()
        self._info = batch.info or self._info
        images = SmallImages(batch.pixels, self._width_px)
        found = self._search.find(images, batch.time_s)
        faces = joined(found)
        height, width = images.size
        scale = np.array([batch.pixels.shape[2] / width, batch.pixels.shape[1] * 2 / 3 / height])
        return replace(
            batch,
            face_frame=np.repeat(np.arange(len(batch)), [len(faces) for faces in found]),
            boxes=self._inside_picture(faces.boxes * np.tile(scale, 2)),
            landmarks=(faces.landmarks * scale).astype(np.float32),
            scores=faces.scores,
        )

    def _inside_picture(self, boxes: NDArray[np.float64]) -> NDArray[np.float32]:
        size = (self._info.width, self._info.height)
        corner = np.clip(boxes[:, :2], 0, size)
        opposite = np.clip(boxes[:, :2] + boxes[:, 2:], 0, size)
        return np.hstack([corner, opposite - corner]).astype(np.float32)
