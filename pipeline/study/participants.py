"""Participants and their conditions, joined to tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from pipeline.study.inputs import UserTable, further_columns
from pipeline.study.videos import Video

REQUIRED = ("video", "participant", "condition")
BIDS_NAMES = {"participant_id": "participant"}


@dataclass(frozen=True)
class Participants:
    """What a user told of the people in videos.

    Attributes:
        rows: ``video``, perhaps ``name``, then the columns that join other tables, all text.
    """

    rows: pandas.DataFrame

    @property
    def keys(self) -> list[str]:
        return [name for name in ("video", "name") if name in self.rows]

    @property
    def columns(self) -> list[str]:
        """Those that join other tables."""
        return [name for name in self.rows if name not in self.keys]

    def join(self, table: pandas.DataFrame) -> pandas.DataFrame:
        """A table with these columns at its end, empty for whom nothing is told.

        A table without people, such as that of videos, is left as it is by participants by name.
        """
        if not set(self.keys) <= set(table):
            return table
        return table.merge(self.rows.astype("string"), how="left", on=self.keys)


def read_participants(
    path: Path, videos: Sequence[Video], named: Collection[str], taken: Collection[str]
) -> Participants:
    """Read a table with ``REQUIRED``, and perhaps ``name`` where a video shows several people.

    Args:
        named: names of people.
        taken: names of columns in the tables that these join.

    Raises:
        UserTableError: it cannot be read, or names a video or person that there is not.
    """
    table = UserTable(path, REQUIRED, BIDS_NAMES)
    by_name = "name" in table.rows
    table.check_known("video", [video.name for video in videos], "video in the output folder")
    if by_name:
        table.check_known("name", named, "name in the file of --names")
    keys = ["video", "name"] if by_name else ["video"]
    table.check_unique(*keys)
    for column in ("participant", "condition"):
        for line, value in table.rows[column].items():
            if not value:
                table.wrong(line, f"no {column}; give one or take the line out")
    added = further_columns(table, keys, taken)
    return Participants(table.rows[keys].join(added).reset_index(drop=True))
