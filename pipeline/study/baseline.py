"""Each person compared with their own neutral face.

Networks misread some faces at rest, such as a low brow for anger. Where a user marked a stretch in
which a person is neutral, what the network sees there in excess of a typical neutral face is
partly taken away: ``log p - STRENGTH * (mean log p over the stretch - typical log p)``, made to
sum to 1 again. The typical neutral face is that of the network's training data
(``models/neutral.py``). A stretch is never guessed: to take the frames that look most neutral
made other data worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from configs.errors import UsageError
from configs.names import nearest
from models.emotions import EMOTIONS, valence_of
from models.neutral import TYPICAL, log_probabilities
from pipeline.study.columns import BASELINE_MEASURES
from pipeline.study.events import Events
from pipeline.study.faces import Faces

STRENGTH = 0.35
"""Share of the excess that is taken away: 5 to 9 points more are right where a person is misread;
from 0.25 to 0.5 the other expressions stay as right as they were."""

Person = str | tuple[str, int]
"""A name, which is one person in all videos; or the video and track of someone without one."""


def person_of(faces: Faces, track: int) -> Person:
    return faces.names.get(track) or (faces.video, track)


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
        self._stretches = events.rows[events.rows["event"] == event]
        self.videos = frozenset(self._stretches["video"])
        self._sums: dict[Person, np.ndarray] = {}
        self._seen_s: dict[Person, float] = {}

    def gather(self, faces: Faces) -> None:
        """Take the neutral stretches of one of ``videos``."""
        own = self._stretches[self._stretches["video"] == faces.video]
        for start_s, end_s in own[["start_s", "end_s"]].itertuples(index=False):
            rows = faces.within(start_s, end_s)
            for track, seen in rows[rows["usable"]].groupby("track"):
                weights = seen["seen_s"].to_numpy()
                logs = log_probabilities(seen[list(EMOTIONS)].to_numpy())
                person = person_of(faces, int(track))
                self._sums[person] = self._sums.get(person, 0.0) + weights @ logs
                self._seen_s[person] = self._seen_s.get(person, 0.0) + float(weights.sum())

    def excesses(self, faces: Faces) -> Mapping[int, np.ndarray]:
        """By track, (7,): what is seen in a neutral face beyond the typical, in logarithms."""
        people = {track: person_of(faces, track) for track in faces.tracks}
        return {
            track: self._sums[person] / self._seen_s[person] - TYPICAL
            for track, person in people.items()
            if self._seen_s.get(person)
        }

    def compare(self, faces: Faces) -> Faces:
        """The faces with ``BASELINE_MEASURES``, NaN for a person without a neutral stretch."""
        rows = faces.rows.assign(**dict.fromkeys(BASELINE_MEASURES, np.nan))
        for track, excess in self.excesses(faces).items():
            own = rows["track"] == track
            compared = compare(rows.loc[own, list(EMOTIONS)].to_numpy(), excess)
            values = np.column_stack([compared, valence_of(compared)])
            rows.loc[own, list(BASELINE_MEASURES)] = values
        return Faces(**{**vars(faces), "rows": rows})

    def without(self, faces: Faces) -> Iterable[str]:
        """Who of a video has no neutral stretch, in words."""
        compared = self.excesses(faces)
        return [
            faces.names.get(track) or f"{faces.video}, person {track}"
            for track in faces.tracks
            if track not in compared
        ]


def compare(probabilities: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """Probabilities, (m, 7), with a share of the excess taken away; rows sum to 1."""
    logs = log_probabilities(probabilities) - STRENGTH * excess
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
