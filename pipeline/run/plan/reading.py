"""Open a video for reading."""

from __future__ import annotations

from configs.schema import Settings
from pipeline.sources import Job
from stages.read.video import VideoReader


def open_reader(job: Job, settings: Settings) -> VideoReader:
    read = settings.read
    if read.rotate == "auto":
        read = read.model_copy(update={"rotate": _turn_of(job, settings)})
    return VideoReader(job.source, read)


def _turn_of(job: Job, settings: Settings) -> int:
    """Degrees clockwise by which the pictures of a video have to be turned for upright faces."""
    from stages.faces.detect import make_detector  # Seldom needed, and slow to import.
    from stages.faces.turns import TurnFinder

    finder = TurnFinder(make_detector(settings.detect), settings.detect.width_px)
    with VideoReader(job.source, settings.read) as reader:
        for batch in reader.batches():
            finder.observe(batch)
            if finder.done:
                break
    return finder.turn
