"""The table and the pieces of film of a live stream, which cannot be made again."""

from __future__ import annotations

from collections.abc import Sequence

from configs.errors import LostOutputError, OutputError, explain
from configs.schema import Settings
from models.card import OutputColumn
from pipeline.places import TABLE
from pipeline.results.losses import Losses
from pipeline.results.row_maker import make_row_maker
from pipeline.sources import Stream
from stages.batch import FrameBatch, Gap, VideoInfo
from stages.write.files import output_errors_name
from stages.write.pieces import Piece, PieceWriter
from stages.write.timeline_table import GrowingTable


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
        self.rows = make_row_maker(settings, outputs)
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
            self.rows = make_row_maker(self._settings, self._outputs)  # None of them is there.
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
