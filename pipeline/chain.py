"""The stages of a video, put together here and nowhere else.

    read -> find (detect, cuts, align, crop, track) -> networks -> finalise -> record

Three carriers move batches through them: threads (``pipeline.run.local_executor``), actors of Ray
(``pipeline.run.actors``) and a live stream (``pipeline.live.stream``). Each part imports what it
needs when it is made, as an actor runs one of them, and loads nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from configs.errors import explain

if TYPE_CHECKING:
    from configs.schema import Settings
    from models.crops import Crop
    from pipeline.results.summary import Provenance, Summary
    from pipeline.sources import Job, Stream
    from stages.batch import FrameBatch, VideoInfo
    from stages.faces.detector import Detector
    from stages.read.video_reader import VideoReader


class Stage(Protocol):
    """Fills its own columns of a batch."""

    def process(self, batch: FrameBatch) -> FrameBatch: ...


def through(stages: Iterable[Stage], batch: FrameBatch) -> FrameBatch:
    """A batch after some stages, one after the other."""
    for stage in stages:
        batch = stage.process(batch)
    return batch


def open_reader(job: Job, settings: Settings) -> VideoReader:
    """The reader of a recorded video, which turns pictures upright if the settings say so."""
    from stages.read.video_reader import VideoReader

    read = settings.read
    if read.rotate == "auto":
        read = read.model_copy(update={"rotate": _turn_of(job, settings)})
    return VideoReader(job.source, read)


def _turn_of(job: Job, settings: Settings) -> int:
    """Degrees clockwise by which the pictures of a video have to be turned for upright faces."""
    from stages.faces.detect import make_detector
    from stages.faces.turns import TurnFinder
    from stages.read.video_reader import VideoReader

    finder = TurnFinder(make_detector(settings.detect), settings.detect.width_px)
    with VideoReader(job.source, settings.read) as reader:
        for batch in reader.batches():
            finder.observe(batch)
            if finder.done:
                break
    return finder.turn


def find_stages(
    detector: Detector, info: VideoInfo, settings: Settings, live: bool = False
) -> list[Stage]:
    """The stages that find the faces of one video, and follow them.

    Raises:
        ModelError: a card of a network is missing or wrong.
    """
    from stages.faces.align import AlignStage
    from stages.faces.cut_faces import CropStage
    from stages.faces.detect import DetectStage
    from stages.faces.turns import TurnFinder
    from stages.people.cuts import CutStage
    from stages.people.track import TrackStage

    kinds = crops_needed(settings)
    return [
        *([] if live or settings.read.rotate else [TurnFinder(detector, settings.detect.width_px)]),
        DetectStage(detector, info, settings.detect, live),
        CutStage(),
        AlignStage(settings.usable),
        *([CropStage(kinds, info.colorspace)] if kinds else []),
        TrackStage(settings.track),
    ]


def crops_needed(settings: Settings) -> list[Crop]:
    """The kinds of crops that networks need beyond the one that is always cut, each once.

    Raises:
        ModelError: a card is missing or wrong.
    """
    from models.card import read_card
    from stages.classify import network_files

    kinds = [read_card(path).face for path in network_files(settings)]
    return [kind for kind in dict.fromkeys(kinds) if not kind.is_own]


class Recording:
    """The end of the chain: finalises the batches of one video, in order, and records them.

    Attributes:
        recorder: which writes the results.

    Raises:
        OutputError: when a result cannot be written; ``finish`` then still keeps what can be kept.
    """

    def __init__(
        self, job: Job | Stream, info: VideoInfo, settings: Settings, provenance: Provenance
    ) -> None:
        from pipeline.results.recorder import Recorder
        from pipeline.sources import Stream
        from stages.people.finalise import Finaliser
        from stages.people.reidentify import FaceReidentifier

        reidentifier = FaceReidentifier() if settings.track.remember_s else None
        live = isinstance(job, Stream)
        self._finaliser = Finaliser(settings.track, settings.smooth, live, reidentifier)
        self.recorder = Recorder(job, info, settings, provenance)
        self._received = 0

    def process(self, batch: FrameBatch) -> int:
        """Take a batch, and write what is final; returns the number of frames so far."""
        self._received += len(batch)
        for final in self._finaliser.process(batch):
            self.recorder.process(final)
        return self._received

    def finish(
        self, cut_short: str | None = None, dropped: int = 0, live: dict[str, Any] | None = None
    ) -> Summary:
        """Write what is held back, and complete the results: see ``Recorder.finish``."""
        problem = None
        try:
            for final in self._finaliser.flush():
                self.recorder.process(final)
        except Exception as error:  # What is written by then is kept.
            problem = explain(error)
        return self.recorder.finish(cut_short, dropped, live, problem)
