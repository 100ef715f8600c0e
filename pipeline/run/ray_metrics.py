"""Metrics of a batch, by Ray, whose nodes export them to Prometheus."""

from __future__ import annotations

from threading import Lock

from ray.util.metrics import Counter, Gauge

from pipeline.results.summary import Summary
from pipeline.run.executor import Reporter
from pipeline.sources import Job
from stages.batch import VideoInfo


class MetricsReporter(Reporter):
    """Passes everything on, and counts in Ray's metrics; make it while Ray runs."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter, self._lock = reporter, Lock()
        self._frames_of: dict[Job, int] = {}
        self._frames = Counter("emotion_timelines_frames", "Frames recorded.")
        self._faces = Counter("emotion_timelines_faces", "Faces in videos that are done.")
        self._videos = Counter(
            "emotion_timelines_videos", "Videos that are done.", tag_keys=("status",)
        )
        self._queue = Gauge(
            "emotion_timelines_queue_batches",
            "Batches between the reader and the recorder.",
            tag_keys=("lane",),
        )

    def started(self, job: Job, info: VideoInfo) -> None:
        self._frames_of[job] = 0
        self._reporter.started(job, info)

    def advanced(self, job: Job, frames: int) -> None:
        new = frames - self._frames_of[job]
        self._frames_of[job] = frames
        if new > 0:
            with self._lock:
                self._frames.inc(new)
        self._reporter.advanced(job, frames)

    def finished(self, job: Job, summary: Summary) -> None:
        with self._lock:
            if summary.faces:
                self._faces.inc(summary.faces)
            self._videos.inc(tags={"status": summary.status})
        self._reporter.finished(job, summary)

    def warned(self, warning: str) -> None:
        self._reporter.warned(warning)

    def queued(self, lane: str, batches: int) -> None:
        """Report the number of batches in flight in a lane."""
        self._queue.set(batches, tags={"lane": lane})
