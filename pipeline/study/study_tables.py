"""The tables of a study, made video by video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas

from pipeline.study import conditions, synchrony
from pipeline.study.annotations import Study
from pipeline.study.figures import Faces, faces_of
from pipeline.study.neutral_faces import Baselines
from pipeline.study.stretches import (
    BINS,
    EVENTS,
    bin_columns,
    bins_of,
    event_columns,
    events_of,
)
from pipeline.study.study_columns import (
    BASELINE_MEASURES,
    DIGITS,
    MEASURES,
    added_columns,
    table_of,
    write_table,
)
from pipeline.study.synchrony import synchrony_rows
from pipeline.study.user_files import Events
from pipeline.study.videos import PERSON_COLUMNS, VIDEO_COLUMNS, Video
from stages.columns import TimelineColumn, column_names


def own_columns(further: Sequence[TimelineColumn]) -> frozenset[str]:
    """Names that a user's columns may not have.

    Args:
        further: columns beyond the seven expressions and valence.
    """
    tables = VIDEO_COLUMNS, PERSON_COLUMNS, event_columns(further, compared=True)
    return frozenset(name for table in tables for name in column_names(table)) - {"video", "name"}


class StudyTables:
    """Reads videos, then writes all tables that are wanted.

    Args:
        study: the user's annotations.
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
        self._with_participants: list[pandas.DataFrame] = []
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
            self._compared.append(whole[["video", "track", *BASELINE_MEASURES]].dropna())
        if self._bins_s:
            self._bins.append(bins_of(faces, self._bins_s))
        if self._events and len(self._events.of(faces)):
            own = events_of(faces, self._events)
            self._of_events.append(own)
            self._add_to_conditions(own)

    def _add_to_conditions(self, table: pandas.DataFrame) -> None:
        if self._study.participants:
            self._with_participants.append(self._study.join(table))

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
        compared, written = self._baselines is not None, []
        if self._bins and self._bins_s:
            bins, own = self._study.joined(
                pandas.concat(self._bins, ignore_index=True), bin_columns(self._columns, compared)
            )
            write_table(bins, own, out / BINS)
            written.append(BINS)
        if self._of_events and self._events:
            events = pandas.concat(self._of_events, ignore_index=True)
            added = added_columns(events, self._events.further, "--events")
            own = [*event_columns(self._columns, compared), *added]
            write_table(*self._study.joined(events, own), out / EVENTS)
            written.append(EVENTS)
        if self._bins and self._bins_s and self._synchrony:
            rows = synchrony_rows(bins, self._bins_s, (*MEASURES, *self._further))
            if not rows:
                self.warnings.append(
                    f"{synchrony.SYNCHRONY}: no two people who are seen together in "
                    f"{synchrony.MIN_BINS} bins, in one video or in two of a pair"
                )
            table = table_of(rows, synchrony.COLUMNS)
            write_table(table, synchrony.COLUMNS, out / synchrony.SYNCHRONY)
            written.append(synchrony.SYNCHRONY)
        return written + self._write_conditions(out)

    def _write_conditions(self, out: Path) -> list[str]:
        table = conditions.conditions_of(self._with_participants, self._further)
        if not len(table):
            return []
        write_table(table, conditions.COLUMNS, out / conditions.CONDITIONS)
        for name in conditions.PICTURES:
            conditions.draw_conditions(table, out / name)
        return [conditions.CONDITIONS, *conditions.PICTURES]
