"""The table and the film of a recorded video, and of a live stream, which cannot be made again."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from configs.errors import EncodingError, LostOutputError, OutputError, explain
from configs.schema import Settings
from models.card import OutputColumn
from pipeline.result_folders import TABLE
from pipeline.results.folder import FILM, clear_results
from pipeline.sources import Job, Stream
from stages.batch import FrameBatch, Gap, VideoInfo
from stages.columns import timeline_columns
from stages.faces.detect import DETECTORS
from stages.write.files import output_errors_name
from stages.write.pieces import Piece, PieceWriter
from stages.write.timeline_table import GrowingTable, RowMaker, TableWriter
from stages.write.video_writer import VideoWriter


class VideoFiles:
    """Written batch by batch; then ``finish``, or ``discard``. What fails is discarded.

    Args:
        outputs: what networks give beyond the seven expressions.

    Attributes:
        rows: with the counts of what is in the table.
        film_problems: why the film is not whole, in words.
        unwritten: what else could not be written, in words.

    Raises:
        OutputError: by ``write``.
    """

    def __init__(
        self, job: Job, info: VideoInfo, settings: Settings, outputs: Sequence[OutputColumn] = ()
    ) -> None:
        self.rows = _row_maker(settings, outputs)
        self.film_problems: list[str] = []
        self.unwritten: list[str] = []
        clear_results(job.folder)
        self._table = TableWriter(job.folder / TABLE, self.rows.columns)
        self._video = _film(job, info, settings) if settings.video.enabled else None

    @property
    def table_serves(self) -> bool:
        """Whether the table is there to make other results of; once finished."""
        return not self.unwritten

    def write(self, batch: FrameBatch) -> None:
        self._table.write(self.rows.rows(batch))
        self.rows.count(batch)
        if self._video is not None:
            try:
                self._video.write(batch)
            except Exception as error:
                if _of_the_disk(error):
                    raise
                self._give_up_film(error)  # Whatever it is, the table goes on without the film.

    def finish(self, cut_short: bool) -> None:
        """Complete each file that can be completed; raises nothing.

        Args:
            cut_short: the frames ended before the video did.
        """
        if self._video is not None and cut_short:
            self._video.end_sound()
        for writer in self._writers():
            try:
                writer.finish()
                if isinstance(writer, VideoWriter) and writer.without_sound:
                    self.film_problems.append(f"{FILM} has no sound: {writer.without_sound}")
            except Exception as error:
                if writer is self._video and not _of_the_disk(error):
                    self._give_up_film(error)
                else:
                    writer.discard()
                    self.unwritten.append(explain(error))

    def discard(self) -> None:
        """Delete what was written."""
        for writer in self._writers():
            writer.discard()

    def _writers(self) -> list[TableWriter | VideoWriter]:
        return [self._table, *([self._video] if self._video else [])]

    def _give_up_film(self, error: Exception) -> None:
        self.film_problems.append(explain(error))
        if self._video is not None:
            self._video.discard()
            self._video = None


class StreamFiles:
    """As ``VideoFiles``, but what cannot be written is told, and the files go on without it.

    Each file does so by itself, and nothing that was written is deleted.

    Raises:
        LostOutputError: by ``write``, when somebody deleted or replaced the table.
    """

    def __init__(
        self,
        stream: Stream,
        info: VideoInfo,
        settings: Settings,
        outputs: Sequence[OutputColumn] = (),
    ) -> None:
        self._settings, self._outputs = settings, outputs
        self.rows = _row_maker(settings, outputs)
        self.film_problems: list[str] = []
        self.unwritten: list[str] = []
        folder, film = stream.folder, settings.video
        with output_errors_name(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / TABLE
        self._table = GrowingTable(self._path, self.rows.columns)
        self._video = PieceWriter(folder, info, film, settings.live) if film.enabled else None
        self._not_in_table, self._not_in_film = Losses(), Losses()

    @property
    def problem(self) -> str | None:
        """Why the newest frames could not be written, in words; None if they could."""
        return self._not_in_table.problem or self._not_in_film.problem

    @property
    def table_serves(self) -> bool:
        return self._path.exists()

    @property
    def losses(self) -> Sequence[Gap]:
        """Of the table."""
        return self._not_in_table.losses

    @property
    def pieces(self) -> Sequence[Piece]:
        return self._video.pieces if self._video else ()

    def write(self, batch: FrameBatch) -> None:
        try:
            self._table.write(list(self.rows.rows(batch)))
        except LostOutputError:
            self.rows = _row_maker(self._settings, self._outputs)  # None of them is there.
            raise
        except OutputError as error:
            self._not_in_table.missed(batch, str(error))
        else:
            self._not_in_table.written(batch)
            self.rows.count(batch)
        if self._video is not None:
            try:
                self._video.write(batch)
            except OutputError as error:
                self._not_in_film.missed(batch, str(error))
            else:
                self._not_in_film.written(batch)

    def finish(self, cut_short: bool) -> None:
        """Complete each file that can be completed; raises nothing."""
        self._finish_film()
        try:
            self._table.finish()
        except Exception as error:
            self.unwritten.append(explain(error))
        if reasons := self._not_in_table.reasons:
            lost = self._not_in_table.frames
            self.unwritten.append(f"{lost} frames are not in {TABLE}: {reasons}")
        if reasons := self._not_in_film.reasons:
            self.film_problems.append(f"the annotated video has gaps: {reasons}")

    def discard(self) -> None:
        """Close the files; without a row, there is nothing but the film."""
        self.finish(cut_short=True)
        self._table.discard()

    def _finish_film(self) -> None:
        if self._video is not None:
            try:
                self._video.finish()
            except Exception as error:
                self._video.keep_what_plays()
                self.film_problems.append(explain(error))


def _of_the_disk(error: Exception) -> bool:
    """Whether nothing else can be written either."""
    return isinstance(error, OutputError) and not isinstance(error, EncodingError)


def _film(job: Job, info: VideoInfo, settings: Settings) -> VideoWriter:
    has_sound = job.source.is_file()  # Numbered pictures have none.
    sound_of = job.source if has_sound else None
    return VideoWriter(job.folder / FILM, info, settings.video, sound_of)


def _row_maker(settings: Settings, outputs: Sequence[OutputColumn]) -> RowMaker:
    """Makes rows as the settings want them."""
    detector = DETECTORS[settings.detect.detector]
    columns = timeline_columns(settings.smooth.keep_raw, outputs)
    return RowMaker(columns, detector.finds_landmarks)


MAX_LOSSES = 1000


class Losses:
    """What is missing in one file.

    Attributes:
        frames: how many frames are missing.
        losses: the latest of them, by time.
    """

    def __init__(self) -> None:
        self._written_s = 0.0
        self.frames = 0
        self.losses: deque[Gap] = deque(maxlen=MAX_LOSSES)

    @property
    def problem(self) -> str | None:
        """Why the newest frames could not be written; None if they could."""
        return self.losses[-1].reason if self._is_open else None

    def missed(self, batch: FrameBatch, reason: str) -> None:
        if not len(batch):
            return
        if not self._is_open:
            self.losses.append(Gap(self._written_s, None, reason))
        self.frames += len(batch)

    def written(self, batch: FrameBatch) -> None:
        if not len(batch):
            return
        if self._is_open:
            begins_s = round(float(batch.time_s[0]), 6)
            self.losses.append(replace(self.losses.pop(), to_s=begins_s))
        self._written_s = round(float(batch.time_s[-1]), 6)

    @property
    def reasons(self) -> str:
        """Of all of them, in words; empty if nothing is missing."""
        return "; ".join(dict.fromkeys(loss.reason for loss in self.losses))

    @property
    def _is_open(self) -> bool:
        return bool(self.losses) and self.losses[-1].to_s is None
