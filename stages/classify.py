"""Classify the expression of each face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.runtime import EmotionNetwork
from stages.batch import FrameBatch


class ClassifyStage:
    """Fills ``probabilities`` from ``crops`` and ``crop_sides``."""

    def __init__(self, network: EmotionNetwork) -> None:
        self._network = network

    def process(self, batch: FrameBatch) -> FrameBatch:
        return self.process_together([batch])[0]

    def process_together(self, batches: Sequence[FrameBatch]) -> list[FrameBatch]:
        """Classify the faces of several batches, of any videos, in one call of the network."""
        probabilities = self._network.predict(
            np.concatenate([batch.crops for batch in batches]),
            np.concatenate([batch.crop_sides for batch in batches]),
        )
        ends = np.cumsum([len(batch.crops) for batch in batches])
        return [
            replace(batch, probabilities=part)
            for batch, part in zip(batches, np.split(probabilities, ends[:-1]), strict=True)
        ]
