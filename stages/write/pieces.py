"""Write the annotated video of a live stream in pieces, each of which plays by itself."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from configs.errors import OutputError
from configs.schema import LiveSettings, VideoSettings
from stages.batch import FrameBatch, VideoInfo
from stages.write.files import output_errors_name
from stages.write.video_writer import VideoWriter

RETRY_S = 5.0
"""After an error the next piece is tried this much later, in seconds of the stream."""

SPARED_BYTES, SPARED_SHARE = 2**25, 0.02
"""Films leave so many bytes of the disk free, or this share of it if that is less, for the table
and the summary."""

CHECK_S = 1.0
"""How often that room is looked at."""


@dataclass(frozen=True)
class Piece:
    """A film whose first frame is that of the timeline at ``from_s``."""

    name: str
    from_s: float


class PieceWriter:
    """Writes ``annotated-0001.mp4``, ``annotated-0002.mp4`` and so on.

    A piece gets its final name when the next one begins: after ``live.piece_s``, or where the
    picture has another size. The oldest pieces are deleted if ``live.keep_pieces`` says how many to
    keep. After an error, what plays of a piece is kept.

    Attributes:
        pieces: those that are complete, but for deleted ones.

    Raises:
        OutputError: by ``write`` and ``finish``, when a file cannot be written, as the disk is
            full; ``write`` begins a new piece once there is room again.
        EncodingError: by both, when no film can be made of such frames.
    """

    def __init__(
        self, folder: Path, info: VideoInfo, settings: VideoSettings, live: LiveSettings
    ) -> None:
        self._folder, self._info, self._settings, self._live = folder, info, settings, live
        self._current: VideoWriter | None = None
        self._began_s = self._checked_s = 0.0
        self._number = 0
        """Of the last piece that is complete."""
        self._problem: str | None = None
        self._retry_s = 0.0
        self.pieces: list[Piece] = []

    def write(self, batch: FrameBatch) -> None:
        if not len(batch):
            return
        begins_s = float(batch.time_s[0])
        self._info = batch.info or self._info
        if self._problem and begins_s < self._retry_s:
            raise OutputError(self._problem)
        try:
            self._write(batch, begins_s)
        except OutputError as error:
            self.keep_what_plays()
            self._problem, self._retry_s = str(error), begins_s + RETRY_S
            raise
        self._problem = None

    def finish(self) -> None:
        """Complete the current piece."""
        if self._current is None:
            return
        try:
            self._current.finish()
        except OutputError:
            self.keep_what_plays()
            raise
        self._complete()

    def keep_what_plays(self) -> None:
        """End the current piece after an error."""
        if self._current is None:
            return
        with suppress(OutputError):  # It cannot even be renamed: the folder is gone.
            if self._current.keep_what_plays():
                self._complete()
        self._current = None

    def _write(self, batch: FrameBatch, begins_s: float) -> None:
        if batch.info is not None or begins_s - self._began_s >= self._live.piece_s:
            self.finish()
        if self._current is None or begins_s - self._checked_s >= CHECK_S:
            self._leave_room()
            self._checked_s = begins_s
        if self._current is None:
            self._began_s = begins_s
            info = replace(self._info, start_pts=int(batch.pts[0]))
            path = self._path(self._number + 1)
            self._current = VideoWriter(path, info, self._settings, None, fragmented=True)
        self._current.write(batch)

    def _leave_room(self) -> None:
        """Complete the current piece before the disk is full.

        Raises:
            OutputError: what is left is for the table.
        """
        with output_errors_name(self._folder):
            disk = shutil.disk_usage(self._folder)
        if disk.free < min(SPARED_BYTES, disk.total * SPARED_SHARE):
            self.finish()
            raise OutputError(
                f"{self._folder}: the disk is nearly full, and what is left is for the table, not "
                "for annotated video; free some space"
            )

    def _complete(self) -> None:
        """Take note that the current piece has its final name."""
        self._number += 1
        self.pieces.append(Piece(self._path(self._number).name, round(self._began_s, 6)))
        self._current = None
        keep = self._live.keep_pieces
        while keep and len(self.pieces) > keep:
            with suppress(OSError):
                (self._folder / self.pieces.pop(0).name).unlink()

    def _path(self, number: int) -> Path:
        return self._folder / f"annotated-{number:04d}.mp4"
