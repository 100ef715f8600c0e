"""What executors tell of the videos that they analyse."""

from __future__ import annotations

from pipeline.results.summary import Summary
from pipeline.sources import Job
from stages.batch import VideoInfo


class Reporter:
    """Hears of each video, from several threads; does nothing unless a subclass says what."""

    def started(self, job: Job, info: VideoInfo) -> None:
        """A video was opened, for the first time or once more."""

    def advanced(self, job: Job, frames: int) -> None:
        """So many of its frames are recorded by now."""

    def finished(self, job: Job, summary: Summary) -> None:
        """Nothing more is done to it."""

    def warned(self, warning: str) -> None:
        """Something happened that the user should know, although the run goes on."""
