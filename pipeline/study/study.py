"""What a user told of videos and people, kept beside the tables so that later runs heed it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas

from pipeline.places import STUDY
from pipeline.results.person import Names
from pipeline.sources import Event
from pipeline.study.columns import told
from pipeline.study.participants import Participants
from pipeline.study.videos import Video
from stages.columns import Column
from stages.write.files import write_atomically

Baselines = Mapping[int, Mapping[str, float]]


@dataclass(frozen=True)
class Study:
    """What a user told.

    Attributes:
        names: of people, by video and track.
        analysed: when each video was analysed.
        participants: None if nothing is told of them.
        main_person: only the person seen longest in each video counts.
        events: by video, in the order of time.
        baselines: means compared with neutral faces, ``BASELINE_MEASURES`` by video and track,
            as far as there are any; None if that is not asked for.
    """

    names: Mapping[str, Names] = field(default_factory=dict)
    analysed: Mapping[str, str | None] = field(default_factory=dict)
    participants: Participants | None = None
    main_person: bool = False
    events: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    baselines: Mapping[str, Baselines] | None = None

    def names_of(self, video: Video) -> Names:
        """The names in a video."""
        return self.names_in(video.name, video.summary.ended_at)

    def names_in(self, video: str, ended_at: str | None) -> Names:
        """Likewise; none if it was analysed again since, as tracks may differ.

        Args:
            ended_at: when its analysis ended.
        """
        return self.names.get(video, {}) if self.analysed.get(video) == ended_at else {}

    def baselines_of(self, video: Video) -> Baselines:
        """Means compared with neutral faces, of the people in a video; none, likewise."""
        current = self.analysed.get(video.name) == video.summary.ended_at
        return (self.baselines or {}).get(video.name, {}) if current else {}

    def events_of(self, video: Video) -> Sequence[Event]:
        """What happens in a video."""
        return self.events.get(video.name, ())

    def join(self, table: pandas.DataFrame) -> pandas.DataFrame:
        """A table with what is told of participants."""
        return self.participants.join(table) if self.participants else table

    def columns(self, joined: pandas.DataFrame) -> tuple[Column, ...]:
        """Those of participants in a table that was joined."""
        added = self.participants.columns if self.participants else []
        return told(joined, [name for name in added if name in joined], "--participants")

    def write(self, out: Path, made_by: Mapping[str, Any]) -> None:
        """Write ``study.json`` into an output folder.

        Args:
            made_by: how the tables beside it were made.

        Raises:
            OutputError: it cannot be written.
        """
        rows = self.participants.rows.to_dict("records") if self.participants else []
        values = {
            "names": self.names,
            "analysed": self.analysed,
            "participants": rows,
            "main_person": self.main_person,
            "events": self.events,
            "baselines": self.baselines,
            **made_by,
        }
        write_atomically(out / STUDY, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def read_study(out: Path) -> Study:
    """What is told in an output folder; nothing if ``study.json`` is absent or destroyed."""
    try:
        values = json.loads((out / STUDY).read_text(encoding="utf-8"))
        rows = values["participants"]
        return Study(
            names={
                video: {int(track): name for track, name in names.items()}
                for video, names in values["names"].items()
            },
            analysed=values["analysed"],
            participants=Participants(pandas.DataFrame(rows, dtype=str)) if rows else None,
            main_person=values["main_person"],
            events={
                video: [(str(name), float(start_s), float(end_s)) for name, start_s, end_s in own]
                for video, own in values.get("events", {}).items()
            },
            baselines=_by_track(values.get("baselines")),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Study()


def _by_track(
    baselines: Mapping[str, Mapping[str, Mapping[str, float]]] | None,
) -> dict[str, Baselines] | None:
    """With tracks as numbers, which JSON has as text."""
    if baselines is None:
        return None
    return {
        video: {int(track): means for track, means in people.items()}
        for video, people in baselines.items()
    }
