"""Write the annotated video of a live stream in pieces, each of which plays by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from configs.schema import LiveSettings, VideoSettings
from stages.batch import FrameBatch, VideoInfo
from stages.write.video import VideoWriter


class PieceWriter:
    """Writes ``annotated-0001.mp4``, ``annotated-0002.mp4`` and so on.

    A piece gets its final name when the next one begins: after ``live.piece_s``, or where the
    picture has another size. The oldest pieces are deleted if ``live.keep_pieces`` says how many to
    keep.

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
        if batch.info is not None or begins_s - self._began_s >= self._live.piece_s:
            self.finish()
        self._info = batch.info or self._info
        if self._current is None:
            self._number += 1
            self._began_s = begins_s
            info = replace(self._info, start_pts=int(batch.pts[0]))
            self._current = VideoWriter(self._path(self._number), info, self._settings, None)
        self._current.write(batch)

    def finish(self) -> None:
        """Complete the current piece."""
        if self._current is None:
            return
        self._current.finish()
        self._current = None
        if self._live.keep_pieces:
            self._path(self._number - self._live.keep_pieces).unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete the current piece."""
        if self._current is not None:
            self._current.discard()
            self._current = None

    def _path(self, number: int) -> Path:
        return self._folder / f"annotated-{number:04d}.mp4"
