"""The end of the plan: settles one video's batches and writes all its results."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from configs.errors import EncodingError, OutputError, explain
from configs.schema import Settings
from pipeline.places import TABLE
from pipeline.results.export import write_exports
from pipeline.results.folder import (
    FILM,
    clear_results,
    results_in,
    save_summary,
    save_what_is_there,
)
from pipeline.results.report import write_report
from pipeline.results.summary import Provenance, Status, Summary
from pipeline.results.video_result import VideoResult, read_result
from pipeline.sources import Job, Stream
from stages.batch import FrameBatch, VideoInfo
from stages.people.reidentify import FaceReidentifier
from stages.people.settle import Settler
from stages.write.pieces import PieceWriter
from stages.write.rows import RowMaker
from stages.write.table import TableWriter
from stages.write.thumbnails import Thumbnails
from stages.write.video import VideoWriter


class Recorder:
    """Takes the batches of one video in order; then ``finish``.

    Attributes:
        newest: the batch that was written last, settled.

    Raises:
        OutputError: when a result cannot be written; ``finish`` then still keeps what can be kept.
    """

    def __init__(
        self, job: Job | Stream, info: VideoInfo, settings: Settings, provenance: Provenance
    ) -> None:
        self._job, self._info, self._provenance = job, info, provenance
        self._settings, self._started_at = settings, _now()
        self._input = job.identity()
        live = isinstance(job, Stream)
        reidentifier = FaceReidentifier() if settings.track.remember_s else None
        self._settler = Settler(settings.track, settings.smooth, live, reidentifier)
        self._row_maker = RowMaker(settings.smooth.keep_raw)
        self._thumbnails = Thumbnails()
        self._damage: list[str] = []
        self._turn = 0
        self._film_problems: list[str] = []
        self.newest: FrameBatch | None = None
        clear_results(job.folder)
        self._table = TableWriter(job.folder / TABLE, self._row_maker.columns, readable=live)
        self._video = _film(job, info, settings) if settings.video.enabled else None

    def process(self, batch: FrameBatch) -> int:
        """Take a batch, and write what is settled; returns the number of frames so far."""
        if batch.turn is not None:
            self._turn = batch.turn
        if batch.damage:
            self._damage.append(batch.damage)
        for settled in self._settler.process(batch):
            self._write(settled)
        return batch.first_frame + len(batch)

    def _write(self, batch: FrameBatch) -> None:
        self.newest = batch
        self._table.write(self._row_maker.rows(batch))
        if not self._settings.video.blur:
            self._thumbnails.process(batch)
        if self._video is not None:
            try:
                self._video.write(batch)
            except Exception as error:
                if _of_the_disk(error):
                    raise
                self._give_up_film(error)  # Whatever it is, the table goes on without the film.

    def _give_up_film(self, error: Exception) -> None:
        self._film_problems.append(explain(error))
        if self._video is not None:
            self._video.discard()
            self._video = None

    def finish(
        self, cut_short: str | None = None, dropped: int = 0, live: dict[str, Any] | None = None
    ) -> Summary:
        """Complete all files that can be completed, the summary last; raises nothing.

        Args:
            cut_short: why the frames ended before the video did; None if they did not.
            dropped: number of frames that were dropped.
            live: for ``Summary.live``.
        """
        try:
            return self._finish(cut_short, dropped, live)
        except Exception as error:
            return save_what_is_there(self._job, explain(error), self._provenance)

    def _finish(self, cut_short: str | None, dropped: int, live: dict[str, Any] | None) -> Summary:
        problems = [*self._damage, *([cut_short] if cut_short else [])]
        unwritten: list[str] = self._write_held_back()
        result: VideoResult | None = None
        if not self._row_maker.frames:
            self.discard()
        else:
            unwritten += self._finish_writers(cut_short is not None)
            if not unwritten:
                try:
                    result = self._read_back(live)
                    unwritten = write_exports(result, self._job.folder, self._settings)
                except Exception as error:  # Such as a table that was deleted meanwhile.
                    unwritten = [explain(error)]
            problems += [*self._film_problems, *unwritten]
        whole = (self._job.folder / TABLE).exists()
        status: Status = "failed" if not whole else "partial" if problems else "complete"
        summary = Summary(
            source=self._job.label,
            status=status,
            reason="; ".join(dict.fromkeys(problems)) or None,
            frames=self._row_maker.frames,
            duration_s=round(self._row_maker.duration_s, 6),
            faces=self._row_maker.faces,
            tracks=self._row_maker.people,
            dropped=dropped,
            input=self._input,
            input_sha256=None if cut_short else self._job.sha256(),
            started_at=self._started_at,
            ended_at=_now(),
            interrupted=bool(cut_short or unwritten),
            live=live,
            video={
                "width": self._info.width,
                "height": self._info.height,
                "rate": round(float(self._info.rate), 3),
                "codec": self._info.codec,
                "rotate": self._info.rotate,
                "start_s": round(self._info.start_s, 6),
            },
            people=tuple(asdict(person) for person in result.people) if result else (),
            warnings=(*self._turn_warnings(), *self._left_out_warnings()),
        )
        if result is not None:
            try:
                write_report(result, summary, self._thumbnails.jpegs(), self._job.folder)
            except Exception as error:
                reason = "; ".join(dict.fromkeys([*problems, explain(error)]))
                summary = replace(summary, status="partial", reason=reason, interrupted=True)
        kept = tuple(path.name for path in results_in(self._job.folder))
        summary = replace(summary, files=kept)
        return save_summary(summary, self._job, self._provenance)

    def _left_out_warnings(self) -> tuple[str, ...]:
        """Whether all faces were left out, as each was seen for too short a time."""
        left_out, min_s = self._row_maker.left_out, self._settings.track.min_s
        if self._row_maker.faces or not left_out:
            return ()
        return (
            f"faces were found {left_out} times, but none for {min_s:g} s in all; they were taken "
            "for false detections and left out; --set track.min_s=0 keeps them",
        )

    def _turn_warnings(self) -> tuple[str, ...]:
        """Whether pictures lie on their side, or were turned because they did."""
        if self._turn:
            return (
                f"faces are not upright: --set read.rotate={self._turn} turns the pictures "
                "clockwise so that they are; expressions of faces that lie are not to be trusted",
            )
        if self._settings.read.rotate == "auto" and self._info.rotate:
            return (f"pictures were turned by {self._info.rotate} degrees clockwise, for faces",)
        return ()

    def _write_held_back(self) -> list[str]:
        """Write the batches that are held back; returns problems."""
        try:
            for settled in self._settler.flush():
                self._write(settled)
        except Exception as error:
            return [explain(error)]
        return []

    def _finish_writers(self, cut_short: bool) -> list[str]:
        """Complete each file; returns the problems of those that could not be."""
        problems = []
        if isinstance(self._video, VideoWriter) and cut_short:
            self._video.end_sound()
        for writer in self._writers():
            try:
                writer.finish()
                if isinstance(writer, VideoWriter) and writer.without_sound:
                    self._film_problems.append(f"{FILM} has no sound: {writer.without_sound}")
            except Exception as error:
                if writer is self._video and not _of_the_disk(error):
                    self._give_up_film(error)
                else:
                    writer.discard()
                    problems.append(explain(error))
        return problems

    def _writers(self) -> list[TableWriter | VideoWriter | PieceWriter]:
        return [self._table, *([self._video] if self._video else [])]

    def _read_back(self, live: dict[str, Any] | None) -> VideoResult:
        folder, film = self._job.folder, self._job.folder / FILM
        return read_result(
            folder / TABLE,
            Path(self._job.label),
            film if film.exists() else Path(self._job.source),
            self._info.start_s,
            self._settings,
            asdict(self._provenance),
            gaps_s=[gap["from_s"] for gap in live["gaps"]] if live else (),
        )

    def discard(self) -> None:
        """Delete what was written."""
        for writer in self._writers():
            writer.discard()


def _of_the_disk(error: Exception) -> bool:
    """Whether nothing else can be written either."""
    return isinstance(error, OutputError) and not isinstance(error, EncodingError)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _film(job: Job | Stream, info: VideoInfo, settings: Settings) -> VideoWriter | PieceWriter:
    if isinstance(job, Stream):
        return PieceWriter(job.folder, info, settings.video, settings.live)
    has_sound = job.source.is_file()  # Numbered pictures have none.
    sound_of = job.source if has_sound else None
    return VideoWriter(job.folder / FILM, info, settings.video, sound_of)
