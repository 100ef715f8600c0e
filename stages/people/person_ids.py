"""Person ids: the old one for a face that is re-identified, else the next free one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from configs.schema import TrackSettings
from stages.batch import NOBODY, FrameBatch

MAX_PEOPLE = 200
"""Bounds memory where a crowd walks by; those seen last are remembered."""

MAX_TRACKS = 8
"""Latest tracks by which a person is known; bounds memory where the same ones come and go."""

PATIENCE_S, PATIENCE_FRAMES = 1.0, 4
"""A track that may show somebody who left waits for its id until that is certain, or until it is
this long and has so many frames."""


class Match(NamedTuple):
    """Whom a track shows.

    Attributes:
        person: None if it is none of the candidates, or not certain.
        final: whether more of the track could not change that.
    """

    person: int | None
    final: bool


class Reidentifier(Protocol):
    """Compares how faces look; a face is known by its track id."""

    def observe(self, batch: FrameBatch) -> None:
        """Remember how the faces of a batch look; it must still have its pixels."""

    def match(self, track: int, people: Mapping[int, Sequence[int]]) -> Match:
        """The person whom a track shows.

        Args:
            people: the track ids of each candidate, by person id.
        """

    def forget(self, track: int) -> None:
        """Drop what is remembered of a track."""


@dataclass
class _Span:
    """When a track was first and last seen, and in how many frames."""

    first_s: float
    last_s: float
    frames: int = 0

    @property
    def is_short(self) -> bool:
        return self.last_s - self.first_s < PATIENCE_S or self.frames < PATIENCE_FRAMES


class PersonIds:
    """Assigns person ids: reuses the id of someone who left if re-identified, otherwise a new one.

    Args:
        reidentifier: without one, every track is a new person.
    """

    def __init__(self, settings: TrackSettings, reidentifier: Reidentifier | None) -> None:
        self._max_gap_s, self._remember_s = settings.max_gap_s, settings.remember_s
        self._reidentifier = reidentifier
        self._spans: dict[int, _Span] = {}
        self._tracks_of: dict[int, list[int]] = {}
        self._last_id = 0
        self._now_s = self._shot_began_s = 0.0

    def observe(self, batch: FrameBatch) -> None:
        """Take note of a batch, before any of its tracks is asked for."""
        for index, at_s in enumerate(batch.time_s.tolist()):
            self._now_s = at_s
            # All tracks end at a cut, and at a gap in a live stream.
            if batch.cuts[index : index + 1].any() or (batch.after_gap and index == 0):
                self._shot_began_s = at_s
            for track in batch.shot_tracks[batch.faces_of(index)].tolist():
                span = self._spans.setdefault(track, _Span(at_s, at_s))
                span.last_s, span.frames = at_s, span.frames + 1
        if self._reidentifier is not None:
            self._reidentifier.observe(batch)

    def assign(self, track: int, may_wait: bool = False) -> int:
        """The id of the person whom a new track shows.

        Args:
            may_wait: as long as the track is short, answer ``NOBODY`` if it may show somebody who
                left, but that is not certain yet.
        """
        match = self._match(track)
        if not match.final and may_wait and self._spans[track].is_short:
            return NOBODY
        person = match.person
        if person is None:
            self._last_id += 1
            person = self._last_id
        tracks = self._tracks_of.setdefault(person, [])
        tracks.append(track)
        while len(tracks) > MAX_TRACKS:
            self.forget(tracks.pop(0))
        self._forget_oldest_people()
        return person

    def _match(self, track: int) -> Match:
        absent = {
            person: tracks
            for person, tracks in self._tracks_of.items()
            if self._left_before(self._spans[track].first_s, self._spans[tracks[-1]].last_s)
        }
        if self._reidentifier is None or not absent:
            return Match(None, final=True)
        return self._reidentifier.match(track, absent)

    def forget(self, track: int) -> None:
        """Drop what is known of a track."""
        self._spans.pop(track, None)
        if self._reidentifier is not None:
            self._reidentifier.forget(track)

    def _left_before(self, time_s: float, last_seen_s: float) -> bool:
        """Whether someone left before that time, is still remembered, and has no live track."""
        if not last_seen_s < time_s <= last_seen_s + self._remember_s:
            return False
        return last_seen_s < self._shot_began_s or self._now_s - last_seen_s > self._max_gap_s

    def _forget_oldest_people(self) -> None:
        while len(self._tracks_of) > MAX_PEOPLE:
            oldest = min(
                self._tracks_of,
                key=lambda person: self._spans[self._tracks_of[person][-1]].last_s,
            )
            self._forget_person(oldest)

    def _forget_person(self, person: int) -> None:
        for track in self._tracks_of.pop(person):
            self.forget(track)
