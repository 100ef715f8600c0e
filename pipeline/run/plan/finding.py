"""Find faces, and who they are of."""

from __future__ import annotations

from dataclasses import replace

from configs.schema import Settings
from stages.batch import FrameBatch, VideoInfo
from stages.faces.align import AlignStage
from stages.faces.detect import DetectStage
from stages.faces.detector import Detector
from stages.faces.turns import TurnFinder
from stages.people.cuts import CutStage
from stages.people.track import TrackStage


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
