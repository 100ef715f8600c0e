"""The plan: which stages a video goes through. Executors decide where and when they run.

read -> find faces (detect, find cuts, align, track) -> classify -> record
"""

from __future__ import annotations

from dataclasses import replace

from configs.schema import Settings
from models.keras_model import as_tflite
from models.runtime import SHIPPED_MODEL, EmotionNetwork
from pipeline.sources import Job
from stages.batch import FrameBatch, VideoInfo
from stages.classify import ClassifyStage
from stages.faces.align import AlignStage
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


class FaceFinder:
    """The stages that detect, align and track the faces of one video."""

    def __init__(
        self, detector: Detector, info: VideoInfo, settings: Settings, live: bool = False
    ) -> None:
        detect = DetectStage(detector, info, settings.detect, live)
        self._stages = (detect, CutStage(), AlignStage(settings.usable), TrackStage(settings.track))
        self._turn_finder = TurnFinder(detector, settings.detect.width_px)
        self._look_for_turns = not live and settings.read.rotate == 0

    def process(self, batch: FrameBatch) -> FrameBatch:
        if self._look_for_turns and not self._turn_finder.done:
            self._turn_finder.look(batch)
            batch = replace(batch, turn=self._turn_finder.turn)
        for stage in self._stages:
            batch = stage.process(batch)
        return batch


def with_runnable_model(settings: Settings) -> Settings:
    """The settings with a ``.keras`` model converted to ``.tflite``, which needs TensorFlow."""
    if settings.classify.model is None:
        return settings
    classify = settings.classify.model_copy(update={"model": as_tflite(settings.classify.model)})
    return settings.model_copy(update={"classify": classify})


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


def load_network(settings: Settings) -> EmotionNetwork:
    return EmotionNetwork(settings.classify.model or SHIPPED_MODEL, settings.classify.threads or 1)


def make_classifier(settings: Settings) -> ClassifyStage:
    return ClassifyStage(load_network(settings))
