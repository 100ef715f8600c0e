"""The plan: which stages a video goes through. Executors decide where and when they run.

read -> find faces (detect, find cuts, align, track) -> classify -> record
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from configs.schema import Settings
from models.card import read_card
from models.emotion_network import Classifier, load_classifier
from models.runtime import SHIPPED_MODEL
from pipeline.results.summary import Provenance
from pipeline.run.networks import (
    FaceReader,
    check_columns,
    crops_needed,
    load_further,
    make_further,
    runnable,
)
from pipeline.sources import Job
from stages.batch import FrameBatch, VideoInfo
from stages.classify import ClassifyStage
from stages.faces.align import AlignStage
from stages.faces.crops import CropStage
from stages.faces.detect import DetectStage, make_detector
from stages.faces.detector import Detector
from stages.faces.turns import TurnFinder
from stages.people.cuts import CutStage
from stages.people.track import TrackStage
from stages.read.video import VideoReader


def open_reader(job: Job, settings: Settings) -> VideoReader:
    read = settings.read
    if read.rotate == "auto":
        read = read.model_copy(update={"rotate": _turn_of(job, settings)})
    return VideoReader(job.source, read)


def _turn_of(job: Job, settings: Settings) -> int:
    """Degrees clockwise by which the pictures of a video have to be turned for upright faces."""
    finder = TurnFinder(make_detector(settings.detect), settings.detect.width_px)
    with VideoReader(job.source, settings.read) as reader:
        for batch in reader.batches():
            finder.look(batch)
            if finder.done:
                break
    return finder.turn


class Stage(Protocol):
    def process(self, batch: FrameBatch) -> FrameBatch: ...


class FaceFinder:
    """The stages that detect, align and track the faces of one video."""

    def __init__(
        self, detector: Detector, info: VideoInfo, settings: Settings, live: bool = False
    ) -> None:
        detect = DetectStage(detector, info, settings.detect, live)
        kinds = crops_needed(settings)
        further = [CropStage(kinds, info.colorspace)] if kinds else []
        align, track = AlignStage(settings.usable), TrackStage(settings.track)
        self._stages: Sequence[Stage] = (detect, CutStage(), align, *further, track)
        self._turn_finder = TurnFinder(detector, settings.detect.width_px)
        self._look_for_turns = not live and settings.read.rotate == 0

    def process(self, batch: FrameBatch) -> FrameBatch:
        if self._look_for_turns and not self._turn_finder.done:
            self._turn_finder.look(batch)
            batch = replace(batch, turn=self._turn_finder.turn)
        for stage in self._stages:
            batch = stage.process(batch)
        return batch


def with_runnable_models(settings: Settings) -> Settings:
    """The settings with ``.keras`` networks converted to ``.tflite``, which needs TensorFlow.

    Raises:
        UsageError: one of them cannot be used, or a further network has no card.
    """
    model = settings.classify.model and runnable([settings.classify.model])[0]
    for path in settings.networks.files:
        read_card(path)
    files = runnable(settings.networks.files)
    changed = {
        "classify": settings.classify.model_copy(update={"model": model}),
        "networks": settings.networks.model_copy(update={"files": files}),
    }
    return settings.model_copy(update=changed)


def with_threads(settings: Settings, cpus: int) -> Settings:
    """The settings with threads that are 0 chosen for one video on so many CPUs.

    Encoding takes most of the time, decoding and the network about a quarter each.
    """
    chosen = {
        "read": max(1, cpus // 4), "classify": max(1, cpus // 4), "video": max(2, cpus),
    }  # fmt: skip
    sections = {
        name: getattr(settings, name).model_copy(update={"threads": threads})
        for name, threads in chosen.items()
        if not getattr(settings, name).threads
    }
    return settings.model_copy(update=sections)


def load_network(settings: Settings) -> Classifier:
    return load_classifier(settings.classify.model or SHIPPED_MODEL, settings.classify.threads or 1)


def make_classifier(settings: Settings) -> ClassifyStage:
    return ClassifyStage(load_network(settings))


def make_face_reader(settings: Settings) -> FaceReader:
    """All networks of a run, for one process."""
    return FaceReader(make_classifier(settings), make_further(settings))


def provenance_of(settings: Settings, command: str | None = None) -> Provenance:
    """The provenance of what is made now; all networks are tried.

    Args:
        command: as for ``Provenance.of``.

    Raises:
        UsageError: a network cannot be used, or two have the same column.
    """
    network, further = load_network(settings), load_further(settings)
    columns = [*network.columns, *(column for each in further for column in each.columns)]
    check_columns(columns)
    return Provenance.of(settings, network, command, further)
