"""Each person compared with their own neutral face.

Networks misread some faces at rest, such as a low brow for anger. Where a user marked a stretch in
which a person is neutral, what the network sees there in excess of a typical neutral face is
partly taken away: ``log p - STRENGTH * (mean log p over the stretch - typical log p)``, made to
sum to 1 again. The typical neutral face is that of the network's training data
(``models/emotions.py``). A stretch is never guessed: to take the frames that look most neutral
made other data worse.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas
from numpy.typing import NDArray

from configs.errors import UsageError
from configs.names import nearest
from models.emotions import EMOTIONS, TYPICAL, log_probabilities, valence_of
from pipeline.study.figures import Faces, Film, usable_rows
from pipeline.study.study_columns import BASELINE_MEASURES
from pipeline.study.user_files import Events

STRENGTH = 0.35
"""Share of the excess that is taken away: 5 to 9 points more are right where a person is misread;
from 0.25 to 0.5 the other expressions stay as right as they were."""

Person = str | tuple[str, int]
"""A name, which is one person in all videos; or the video and track of someone without one."""


def person_of(film: Film, track: int) -> Person:
    return film.names.get(track) or (film.video, track)


class Baselines:
    """Gathers the neutral stretches of everyone, then compares faces with them.

    Args:
        events: of all videos.
        event: the name of those during which people are neutral.

    Raises:
        UsageError: no event has this name.
    """

    def __init__(self, events: Events, event: str) -> None:
        known = list(dict.fromkeys(events.rows["event"]))
        if event not in known:
            raise UsageError(
                f"--baseline {event}: no such event{nearest(event, known)}; "
                f"events: {', '.join(known)}"
            )
        neutral = events.rows[events.rows["event"] == event]
        self._events = Events(neutral, ())
        self.videos = frozenset(neutral["video"])
        self._sums: dict[Person, NDArray[np.float64]] = {}
        self._seen_s: dict[Person, float] = {}

    def gather(self, faces: Faces) -> None:
        """Take the neutral stretches of films."""
        rows = usable_rows(faces.within(self._events.of(faces)))
        for (number, track), seen in rows.groupby(["film", "track"]):
            weights = seen["seen_s"].to_numpy()
            logs = log_probabilities(seen[list(EMOTIONS)].to_numpy())
            person = person_of(faces.films[number], track)
            self._sums[person] = self._sums.get(person, np.zeros(len(EMOTIONS))) + weights @ logs
            self._seen_s[person] = self._seen_s.get(person, 0.0) + float(weights.sum())

    def _excess(self, film: Film, track: int) -> NDArray[np.float64]:
        """What is seen in a neutral face beyond the typical, in logarithms: (7,).

        NaN for a person without a neutral stretch.
        """
        person = person_of(film, track)
        if person not in self._sums:
            return np.full(len(EMOTIONS), np.nan)
        logs: NDArray[np.float64] = self._sums[person] / self._seen_s[person] - TYPICAL
        return logs

    def compare(self, faces: Faces) -> Faces:
        """The faces with ``BASELINE_MEASURES``, NaN for a person without a neutral stretch."""
        people = [
            (number, track) for number, film in enumerate(faces.films) for track in film.tracks
        ]
        excesses = [self._excess(faces.films[number], track) for number, track in people]
        by_person = pandas.MultiIndex.from_tuples(people, names=["film", "track"])
        places = by_person.get_indexer(pandas.MultiIndex.from_frame(faces.rows[["film", "track"]]))
        logs = log_probabilities(faces.rows[list(EMOTIONS)].to_numpy())
        logs -= STRENGTH * np.reshape(excesses, (-1, len(EMOTIONS)))[places]
        powers = np.exp(logs - logs.max(axis=1, keepdims=True))
        compared = powers / powers.sum(axis=1, keepdims=True)
        values = np.column_stack([compared, valence_of(compared)])
        columns = dict(zip(BASELINE_MEASURES, values.T, strict=True))
        return replace(faces, rows=faces.rows.assign(**columns))

    def without(self, faces: Faces) -> list[str]:
        """Who has no neutral stretch, in words."""
        return [
            film.names.get(track) or f"{film.video}, person {track}"
            for film in faces.films
            for track in film.tracks
            if person_of(film, track) not in self._sums
        ]
