"""The tables of a study, made video by video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas

from pipeline.study import bins, columns, conditions, events, people, synchrony
from pipeline.study.baseline import Baselines
from pipeline.study.bins import bins_of
from pipeline.study.conditions import ConditionMeans
from pipeline.study.events import Events, events_of
from pipeline.study.faces import Faces, faces_of
from pipeline.study.study import Study
from pipeline.study.synchrony import synchrony_rows
from pipeline.study.videos import Video
from pipeline.study.write import DIGITS, table_of, write_table
from stages.columns import Column, TimelineColumn, column_names

OWN_COLUMNS = frozenset(
    column.name
    for table in (people.VIDEO_COLUMNS, people.PERSON_COLUMNS, bins.COLUMNS, events.COLUMNS,
                  columns.baselines())
    for column in table
) - {"video", "name"}  # fmt: skip


def own_columns(further: Sequence[TimelineColumn]) -> frozenset[str]:
    """Names that a user's columns may not have.

    Args:
        further: columns beyond the seven expressions and valence.
    """
    return OWN_COLUMNS | {column.name for column in events.further_columns_of(further)}


class StudyTables:
    """Reads videos, then writes all tables that are wanted.

    Args:
        study: what a user told of people and participants.
        bins_s: width of bins; None for no table of them.
        events: None for no table of them.
        baseline: name of the events in which people are neutral; None for no comparison with them.
        with_synchrony: of people, on bins.
        further: columns beyond the seven expressions and valence, as ``further_in`` returns.

    Attributes:
        warnings: what a user should know of the tables, in words.

    Raises:
        UsageError: no event is called as ``baseline``.
    """

    def __init__(
        self,
        study: Study,
        bins_s: float | None,
        events: Events | None,
        baseline: str | None,
        with_synchrony: bool,
        further: Sequence[TimelineColumn] = (),
    ) -> None:
        self._study, self._bins_s, self._events = study, bins_s, events
        self._synchrony = with_synchrony
        self._baselines = Baselines(events, baseline) if events and baseline else None
        self._bins: list[pandas.DataFrame] = []
        self._of_events: list[pandas.DataFrame] = []
        self._columns, self._further = further, column_names(further)
        self._conditions = ConditionMeans(self._further)
        self._compared: list[pandas.DataFrame] = []
        self.warnings: list[str] = []

    def read(
        self, videos: Sequence[Video], shown: Callable[[str, Sequence[Video]], Iterable[Video]]
    ) -> list[str]:
        """Take the figures of all videos; returns the problems of tables that cannot be read.

        Args:
            shown: goes through videos, and shows the progress of what is named.
        """
        problems: list[str] = []
        if self._baselines:
            neutral = [video for video in videos if video.name in self._baselines.videos]
            for faces in faces_of(shown("neutral faces", neutral), self._study, problems):
                self._baselines.gather(faces)
        if self._bins_s or self._events or self._study.participants:
            shown_videos = shown("figures", videos)
            for faces in faces_of(shown_videos, self._study, problems, self._further):
                self._add(faces)
        return problems

    def _add(self, faces: Faces) -> None:
        if self._baselines:
            without = self._baselines.without(faces)
            self.warnings += [f"{who}: no usable neutral face; no baseline" for who in without]
            faces = self._baselines.compare(faces)
        whole = faces.table_of(faces.whole())
        self._add_to_conditions(whole)
        if self._baselines:
            self._compared.append(whole[["video", "track", *columns.BASELINE_MEASURES]].dropna())
        if self._bins_s:
            self._bins.append(bins_of(faces, self._bins_s))
        if self._events and len(self._events.of(faces)):
            own = events_of(faces, self._events)
            self._of_events.append(own)
            self._add_to_conditions(own)

    def _add_to_conditions(self, table: pandas.DataFrame) -> None:
        if self._study.participants:
            self._conditions.add(self._study.join(table))

    @property
    def compared(self) -> dict[str, dict[int, dict[str, float]]] | None:
        """Means of whole videos compared with neutral faces, by video and track."""
        if not self._baselines:
            return None
        means: dict[str, dict[int, dict[str, float]]] = {}
        for table in self._compared:
            rounded = table.set_index(["video", "track"]).round(DIGITS)
            for (video, track), own in rounded.to_dict("index").items():
                means.setdefault(video, {})[int(track)] = own
        return means

    def write(self, out: Path) -> list[str]:
        """Write the tables; returns their names.

        Raises:
            OutputError: one cannot be written.
        """
        compared = columns.baselines() if self._baselines else ()
        written = []
        if self._bins:
            table = pandas.concat(self._bins, ignore_index=True)
            written.append(
                self._write(
                    table,
                    out / bins.BINS,
                    (*bins.COLUMNS, *compared, *columns.of_further(self._columns)),
                )
            )
        if self._of_events and self._events:
            table = pandas.concat(self._of_events, ignore_index=True)
            added = columns.told(table, self._events.further, "--events")
            further = events.further_columns_of(self._columns)
            own = (*events.COLUMNS, *compared, *further, *added)
            written.append(self._write(table, out / events.EVENTS, own))
        if self._bins and self._bins_s and self._synchrony:
            joined = self._study.join(pandas.concat(self._bins, ignore_index=True))
            rows = synchrony_rows(joined, self._bins_s, (*columns.MEASURES, *self._further))
            if not rows:
                self.warnings.append(
                    f"{synchrony.SYNCHRONY}: no two people who are seen together in "
                    f"{synchrony.MIN_BINS} bins, in one video or in two of a pair"
                )
            write_table(
                table_of(rows, synchrony.COLUMNS), out / synchrony.SYNCHRONY, synchrony.COLUMNS
            )
            written.append(synchrony.SYNCHRONY)
        return written + self._write_conditions(out)

    def _write(self, table: pandas.DataFrame, path: Path, own: Sequence[Column]) -> str:
        joined = self._study.join(table)
        write_table(joined, path, (*own, *self._study.columns(joined)))
        return path.name

    def _write_conditions(self, out: Path) -> list[str]:
        table = self._conditions.table()
        if not len(table):
            return []
        from pipeline.study.conditions_picture import draw_conditions  # matplotlib is slow.

        write_table(table, out / conditions.CONDITIONS, conditions.COLUMNS)
        for name in conditions.PICTURES:
            draw_conditions(table, out / name)
        return [conditions.CONDITIONS, *conditions.PICTURES]
