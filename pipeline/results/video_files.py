"""The table and the film of a recorded video."""

from __future__ import annotations

from collections.abc import Sequence

from configs.errors import EncodingError, OutputError, explain
from configs.schema import Settings
from models.card import OutputColumn
from pipeline.places import TABLE
from pipeline.results.folder import FILM, clear_results
from pipeline.results.row_maker import make_row_maker
from pipeline.sources import Job
from stages.batch import FrameBatch, VideoInfo
from stages.write.timeline_table import TableWriter
from stages.write.video import VideoWriter


class VideoFiles:
    """Written batch by batch; then ``finish``, or ``discard``.

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
        self.rows = make_row_maker(settings, outputs)
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


def _of_the_disk(error: Exception) -> bool:
    """Whether nothing else can be written either."""
    return isinstance(error, OutputError) and not isinstance(error, EncodingError)


def _film(job: Job, info: VideoInfo, settings: Settings) -> VideoWriter:
    has_sound = job.source.is_file()  # Numbered pictures have none.
    sound_of = job.source if has_sound else None
    return VideoWriter(job.folder / FILM, info, settings.video, sound_of)
