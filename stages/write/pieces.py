"""Write a live stream's annotated recording in pieces, each a film of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from configs.schema import LiveSettings, VideoSettings
from stages.batch import FrameBatch, VideoInfo
from stages.write.video import VideoWriter


class SegmentWriter:
    """Cuts a stream into ``annotated-0001.mp4``, ``annotated-0002.mp4`` and so on.

    A piece has its final name, and plays, as soon as the next has begun. Of a stream without end
    the oldest pieces are deleted, if the settings say how many to keep.

    Raises:
        OutputError: by any method, when a file cannot be written.
    """

    def __init__(
        self, folder: Path, info: VideoInfo, settings: VideoSettings, live: LiveSettings
    ) -> None:
        self._folder, self._info, self._settings, self._live = folder, info, settings, live
        self._current: VideoWriter | None = None
        self._began_s = 0.0
        self._number = 0

    def write(self, batch: FrameBatch) -> None:
        if not len(batch):
            return
        begins_s = float(batch.time_s[0])
        if self._current is not None and begins_s - self._began_s >= self._live.segment_s:
            self.finish()
        if self._current is None:
            self._number += 1
            self._began_s = begins_s
            info = replace(self._info, start_pts=int(batch.pts[0]))
            self._current = VideoWriter(self._path(self._number), info, self._settings, None)
        self._current.write(batch)

    def finish(self) -> None:
        """Complete the piece that is being written."""
        if self._current is None:
            return
        self._current.finish()
        self._current = None
        if self._live.keep_segments:
            self._path(self._number - self._live.keep_segments).unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing behind of the piece that is being written."""
        if self._current is not None:
            self._current.discard()
            self._current = None

    def _path(self, number: int) -> Path:
        return self._folder / f"annotated-{number:04d}.mp4"
