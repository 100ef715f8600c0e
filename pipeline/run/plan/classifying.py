"""Run all networks: the one that classifies expressions, and further ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from configs.schema import Settings
from models.emotion_network import Classifier, load_classifier
from models.face_network import FaceNetwork
from models.runtime import SHIPPED_MODEL
from stages.batch import FrameBatch
from stages.classify import ClassifyStage, NetworkStage


class FaceReader:
    """All networks of a run, one after the other, in one process."""

    def __init__(self, classifier: ClassifyStage, further: Sequence[NetworkStage]) -> None:
        self._stages: Sequence[ClassifyStage | NetworkStage] = (classifier, *further)

    def process(self, batch: FrameBatch) -> FrameBatch:
        for stage in self._stages:
            batch = stage.process(batch)
        return batch.without_crops()


def make_face_reader(settings: Settings) -> FaceReader:
    further = [make_further(settings, file) for file in settings.networks.files]
    return FaceReader(make_classifier(settings), further)


def load_network(settings: Settings) -> Classifier:
    return load_classifier(settings.classify.model or SHIPPED_MODEL, settings.classify.threads or 1)


def make_classifier(settings: Settings) -> ClassifyStage:
    return ClassifyStage(load_network(settings))


def load_further(settings: Settings, file: Path) -> FaceNetwork:
    """A further network.

    Raises:
        ModelError: it is missing or wrong, or does not fit its card.
    """
    return FaceNetwork(file, settings.classify.threads or 1)


def make_further(settings: Settings, file: Path) -> NetworkStage:
    return NetworkStage(load_further(settings, file))
