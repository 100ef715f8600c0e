"""The networks of a run: the one that classifies expressions, and further ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from configs.errors import ModelError, UsageError
from configs.schema import Settings
from models.card import OutputColumn, read_card
from models.crops import Crop
from models.emotion_network import has_card
from models.face_network import FaceNetwork
from models.keras_model import as_tflite
from stages.batch import FrameBatch
from stages.classify import ClassifyStage, NetworkStage
from stages.write.rows import COLUMNS, RAW_COLUMNS


class FaceReader:
    """All networks of a run, one after the other, in one process."""

    def __init__(self, classifier: ClassifyStage, further: Sequence[NetworkStage]) -> None:
        self._stages: Sequence[ClassifyStage | NetworkStage] = (classifier, *further)

    def process(self, batch: FrameBatch) -> FrameBatch:
        for stage in self._stages:
            batch = stage.process(batch)
        return batch.without_crops()


def load_further(settings: Settings) -> list[FaceNetwork]:
    """The further networks.

    Raises:
        ModelError: one is missing or wrong, or does not fit its card.
    """
    threads = settings.classify.threads or 1
    return [FaceNetwork(path, threads) for path in settings.networks.files]


def make_further(settings: Settings) -> list[NetworkStage]:
    return [NetworkStage(network) for network in load_further(settings)]


def crops_needed(settings: Settings) -> list[Crop]:
    """The kinds of crops that networks need beyond the one that is always cut, each once.

    Raises:
        ModelError: a card is missing or wrong.
    """
    model = settings.classify.model
    carded = [model] if model is not None and has_card(model) else []
    kinds = [read_card(path).face for path in (*carded, *settings.networks.files)]
    return [kind for kind in dict.fromkeys(kinds) if not kind.is_own]


def check_columns(columns: Sequence[OutputColumn]) -> None:
    """See to it that each column of a run has a name of its own.

    Raises:
        UsageError: two have the same.
    """
    taken = dict.fromkeys(("video", *COLUMNS, *RAW_COLUMNS), "this program")
    for column in columns:
        if column.name in taken:
            raise UsageError(
                f"{column.network}: its column {column.name} is one of {taken[column.name]}, too; "
                "give its card another prefix"
            )
        taken[column.name] = column.network


def runnable(files: Sequence[Path]) -> list[Path]:
    """Network files, ``.keras`` ones converted, which needs TensorFlow.

    Raises:
        ModelError: one is named twice, or a ``.keras`` network cannot be used.
        MissingPackageError: TensorFlow is not installed.
    """
    for path in files:
        if files.count(path) > 1:
            raise ModelError(f"{path}: is named twice; name each network once")
    return [as_tflite(path) for path in files]
