"""The networks of a run, tried before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from configs.errors import ModelError, UsageError
from configs.schema import Settings
from models.card import OutputColumn, read_card
from models.keras_model import as_tflite
from pipeline.results.summary import Provenance
from stages.classify import load_network, network_files
from stages.columns import column_names, timeline_columns


def with_runnable_models(settings: Settings) -> Settings:
    """The settings with ``.keras`` networks converted to ``.tflite``, which needs TensorFlow.

    Raises:
        UsageError: one of them cannot be used, or a further network has no card.
    """
    model = settings.classify.model and _runnable([settings.classify.model])[0]
    for path in settings.networks.files:
        read_card(path)
    files = _runnable(settings.networks.files)
    changed = {
        "classify": settings.classify.model_copy(update={"model": model}),
        "networks": settings.networks.model_copy(update={"files": files}),
    }
    return settings.model_copy(update=changed)


def provenance_of(settings: Settings, command: str | None = None) -> Provenance:
    """The provenance of what is made now; all networks are tried.

    Args:
        command: as for ``Provenance.of``.

    Raises:
        UsageError: a network cannot be used, or two have the same column.
    """
    networks = [load_network(settings, at) for at in range(len(network_files(settings)))]
    _check_columns([column for network in networks for column in network.columns])
    return Provenance.of(settings, networks, command)


def _check_columns(columns: Sequence[OutputColumn]) -> None:
    """See to it that each column of a run has a name of its own.

    Raises:
        UsageError: two have the same.
    """
    taken = dict.fromkeys(["video", *column_names(timeline_columns(keep_raw=True))], "this program")
    for column in columns:
        if column.name in taken:
            raise UsageError(
                f"{column.network}: its column {column.name} is one of {taken[column.name]}, too; "
                "give its card another prefix"
            )
        taken[column.name] = column.network


def _runnable(files: Sequence[Path]) -> list[Path]:
    """Network files, ``.keras`` ones converted, which needs TensorFlow.

    Raises:
        ModelError: one is named twice, or a ``.keras`` network cannot be used.
        MissingPackageError: TensorFlow is not installed.
    """
    for path in files:
        if files.count(path) > 1:
            raise ModelError(f"{path}: is named twice; name each network once")
    return [as_tflite(path) for path in files]
