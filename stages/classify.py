"""Run networks on faces: the one that classifies expressions, and further ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.emotion_network import Classifier
from models.face_network import FaceNetwork
from stages.batch import FrameBatch


class ClassifyStage:
    """Fills ``probabilities``, and ``values`` where the network gives more than these."""

    def __init__(self, network: Classifier) -> None:
        self._network = network

    def process(self, batch: FrameBatch) -> FrameBatch:
        return self.process_together([batch])[0]

    def process_together(self, batches: Sequence[FrameBatch]) -> list[FrameBatch]:
        """Classify the faces of several batches, of any videos, in one call of the network."""
        crops = [batch.crops_of(self._network.crop) for batch in batches]
        probabilities, values = self._network.classify(
            np.concatenate(crops), np.concatenate([batch.crop_sides for batch in batches])
        )
        ends = _ends(crops)
        return [
            replace(batch, probabilities=part, values=further)
            for batch, part, further in zip(
                batches, np.split(probabilities, ends), np.split(values, ends), strict=True
            )
        ]


class NetworkStage:
    """Adds the outputs of a further network to ``values``."""

    def __init__(self, network: FaceNetwork) -> None:
        self._network = network

    def process(self, batch: FrameBatch) -> FrameBatch:
        return self.process_together([batch])[0]

    def process_together(self, batches: Sequence[FrameBatch]) -> list[FrameBatch]:
        """Take the faces of several batches, of any videos, in one call of the network."""
        crops = [batch.crops_of(self._network.crop) for batch in batches]
        parts = np.split(self._network.predict(np.concatenate(crops)), _ends(crops))
        return [batch.with_values(part) for batch, part in zip(batches, parts, strict=True)]


def _ends(crops: Sequence[np.ndarray]) -> np.ndarray:
    """Where the faces of each batch but the last one end, among those of all."""
    return np.cumsum([len(faces) for faces in crops])[:-1]
