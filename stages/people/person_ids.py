"""Give people their numbers: new ones in turn, and old ones to those who are recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from configs.schema import TrackSettings
from stages.batch import FrameBatch

MOST_PEOPLE = 200
"""Bounds memory where a crowd walks by; those who were seen last are remembered."""


class Recogniser(Protocol):
    """Compares the faces of tracks, which are known by the numbers of ``TrackStage``."""

    def look(self, batch: FrameBatch) -> None:
        """Remember faces of a batch, pixels included."""

    def recognise(self, track: int, people: Mapping[int, Sequence[int]]) -> int | None:
        """Which of some people a track shows, if that is sure.

        Args:
            people: the tracks of each, by their number.
        """

    def forget(self, track: int) -> None:
        """Drop what is remembered of a track."""


@dataclass
class _Span:
    """When a track was seen first and last."""

    first_s: float
    last_s: float


class PeopleNumbers:
    """A track is a person's whom nobody else's track can still continue, and whom it looks like.

    Args:
        recogniser: knows faces again; without one, a new track is a new person.
    """

    def __init__(self, settings: TrackSettings, recogniser: Recogniser | None) -> None:
        self._max_gap_s, self._remember_s = settings.max_gap_s, settings.remember_s
        self._recogniser = recogniser
        self._spans: dict[int, _Span] = {}
        self._tracks_of: dict[int, list[int]] = {}
        self._last_number = 0
        self._now_s = self._shot_began_s = 0.0

    def learn(self, batch: FrameBatch) -> None:
        """Take note of a batch before any of its tracks is given a number."""
        if batch.after_gap and len(batch):
            self._shot_began_s = float(batch.time_s[0])
        for index, at_s in enumerate(batch.time_s.tolist()):
            self._now_s = at_s
            if batch.cuts[index : index + 1].any():
                self._shot_began_s = at_s
            for track in batch.tracks[batch.faces_of(index)].tolist():
                self._spans.setdefault(track, _Span(at_s, at_s)).last_s = at_s
        if self._recogniser is not None:
            self._recogniser.look(batch)

    def number_of(self, track: int) -> int:
        """The number of the person whom a new track shows."""
        number = None
        if self._recogniser is not None:
            gone = {
                number: tracks
                for number, tracks in self._tracks_of.items()
                if self._is_gone(self._spans[tracks[-1]].last_s, self._spans[track].first_s)
            }
            number = self._recogniser.recognise(track, gone) if gone else None
        if number is None:
            self._last_number += 1
            number = self._last_number
        self._tracks_of.setdefault(number, []).append(track)
        self._forget_those_long_gone()
        return number

    def forget(self, track: int) -> None:
        """Drop what is known of a track."""
        self._spans.pop(track, None)
        if self._recogniser is not None:
            self._recogniser.forget(track)

    def _is_gone(self, last_s: float, before_s: float) -> bool:
        """Whether someone left before a moment, not too long ago, and no track can go on."""
        left = last_s < before_s <= last_s + self._remember_s
        return left and (last_s < self._shot_began_s or self._now_s - last_s > self._max_gap_s)

    def _forget_those_long_gone(self) -> None:
        while len(self._tracks_of) > MOST_PEOPLE:
            oldest = min(
                self._tracks_of,
                key=lambda number: self._spans[self._tracks_of[number][-1]].last_s,
            )
            for track in self._tracks_of.pop(oldest):
                self.forget(track)
