"""Run networks on faces: the one that classifies expressions, and further ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from configs.schema import Settings
from models.network import SHIPPED_MODEL, Network
from stages.batch import FrameBatch


class NetworkStage:
    """Adds what a network gives: to ``values``, and ``probabilities`` if it tells expressions.

    Args:
        number: of the network, as of ``network_files``.

    Raises:
        ModelError: it is missing or wrong, or does not fit its card.
    """

    def __init__(self, settings: Settings, number: int = 0) -> None:
        self._network = load_network(settings, number)
        self._tells_expressions = number == 0

    def process(self, batch: FrameBatch) -> FrameBatch:
        return batch.with_outputs(*self.outputs_of([batch]))

    def outputs_of(self, batches: Sequence[FrameBatch]) -> list[FrameBatch]:
        """What the network gives of several batches, of any videos, in one call.

        Returns:
            For ``FrameBatch.with_outputs``, one each.
        """
        crops = [batch.crops_of(self._network.crop) for batch in batches]
        faces, sides_px = np.concatenate(crops), np.concatenate([b.crop_sides for b in batches])
        ends = np.cumsum([len(faces) for faces in crops])[:-1]
        if self._tells_expressions:
            seven, others = self._network.classify(faces, sides_px)
        else:
            others = self._network.predict(faces, sides_px)
            seven = others[:, :0]
        return [
            FrameBatch(batch.first_frame, batch.pts, batch.time_s, probabilities=own, values=more)
            for batch, own, more in zip(
                batches, np.split(seven, ends), np.split(others, ends), strict=True
            )
        ]


def network_files(settings: Settings) -> list[Path]:
    """The networks of a run: the one that tells expressions, then further ones."""
    return [settings.classify.model or SHIPPED_MODEL, *settings.networks.files]


def load_network(settings: Settings, number: int = 0) -> Network:
    """One of ``network_files``; the first tells expressions.

    Raises:
        ModelError: it is missing or wrong, or does not fit its card.
    """
    file = network_files(settings)[number]
    return Network(file, settings.classify.threads or 1, expressions=number == 0)


def network_stages(settings: Settings) -> list[NetworkStage]:
    """All networks of a run, for one process."""
    return [NetworkStage(settings, number) for number in range(len(network_files(settings)))]
