"""Find faces, and who they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from configs.schema import Settings
from models.card import read_card
from models.crops import Crop
from stages.batch import FrameBatch, VideoInfo
from stages.classify import network_files
from stages.faces.align import AlignStage
from stages.faces.crops import CropStage
from stages.faces.detect import DetectStage
from stages.faces.detector import Detector
from stages.faces.turns import TurnFinder
from stages.people.cuts import CutStage
from stages.people.track import TrackStage


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
            self._turn_finder.observe(batch)
            batch = replace(batch, turn=self._turn_finder.turn)
        for stage in self._stages:
            batch = stage.process(batch)
        return batch


def crops_needed(settings: Settings) -> list[Crop]:
    """The kinds of crops that networks need beyond the one that is always cut, each once.

    Raises:
        ModelError: a card is missing or wrong.
    """
    kinds = [read_card(path).face for path in network_files(settings)]
    return [kind for kind in dict.fromkeys(kinds) if not kind.is_own]
