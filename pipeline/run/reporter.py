"""How executors report progress."""

from __future__ import annotations

from pipeline.results.summary import Summary
from pipeline.sources import Job
from stages.batch import VideoInfo


class Reporter:
    """Called for each video, from several threads. Does nothing itself; subclasses do."""

    def started(self, job: Job, info: VideoInfo) -> None:
        """A video was opened, perhaps a second time."""

    def advanced(self, job: Job, frames: int) -> None:
        """This many of its frames are recorded so far."""

    def finished(self, job: Job, summary: Summary) -> None:
        """A video is done, whether it succeeded or not."""

    def warned(self, warning: str) -> None:
        """Something the user should know happened; the run goes on."""
