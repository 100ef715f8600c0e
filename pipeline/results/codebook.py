"""Codebooks: ``NAME.json`` beside each table ``NAME.csv`` says what its columns mean.

Their form is that of the sidecar files of tables in BIDS (Brain Imaging Data Structure,
bids-specification.readthedocs.io, "Tabular files").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.emotions import EMOTIONS
from stages.write.files import write_atomically


@dataclass(frozen=True)
class Column:
    """What a column of a table holds.

    Attributes:
        name: its name in the table.
        description: what it means, and when it is empty.
        unit: of its values; None for names and counts.
        type: of its values.
        levels: what each possible value means, if there are few.
    """

    name: str
    description: str
    unit: str | None = None
    type: Literal["integer", "number", "string"] = "number"
    levels: Mapping[str, str] | None = None


def write_codebook(table: Path, columns: Iterable[Column]) -> None:
    """Write the codebook of a table beside it.

    Args:
        table: path of the table.
        columns: of the table, in its order.

    Raises:
        OutputError: it cannot be written.

    Example:
        write_codebook(out / "bins.csv", [Column("start_s", "When the bin begins.", "s")])
    """
    write_atomically(table.with_suffix(".json"), codebook_text(columns))


def codebook_text(columns: Iterable[Column]) -> str:
    """A codebook as JSON."""
    return json.dumps({column.name: _entry(column) for column in columns}, indent=2) + "\n"


def _entry(column: Column) -> dict[str, Any]:
    entry = {
        "Description": column.description,
        "Units": column.unit,
        "Format": column.type,
        "Levels": dict(column.levels) if column.levels else None,
    }
    return {key: value for key, value in entry.items() if value is not None}


PROBABILITY, PIXELS = "probability, 0 to 1", "px of the upright picture"

EXPRESSIONS = {name: f"The face looks {name} to most people." for name in EMOTIONS} | {
    "disgust": "The face shows disgust to most people.",
    "fear": "The face shows fear to most people.",
    "surprise": "The face shows surprise to most people.",
}
"""The levels of a column that holds an expression."""

NO_FACE = {
    "none found": "No face was found.",
    "left out": "A face was found, but for too short a time to be shown (track.min_s).",
    "outside": "It is not in the part of the video that was analysed.",
}
"""Why there is no face: the levels of a column; frames outside the part are in no timeline."""

SEGMENT_LABELS = EXPRESSIONS | {
    "unclear": "No expression has a high enough mean probability (segments.min_confidence)."
}

TRACK = Column("track", "Number of the person in this video, from 1.", type="integer")

TIMELINE = (
    Column("frame", "Number of the frame in the video, from 0.", type="integer"),
    Column("time_s", "When the frame is shown, from the first frame of the video.", "s"),
    Column("track", f"{TRACK.description} Empty, as all that follows, without a face.", None,
           "integer"),
    Column("x", "Left edge of the face's bounding box.", PIXELS),
    Column("y", "Upper edge of the face's bounding box.", PIXELS),
    Column("width", "Width of the face's bounding box.", PIXELS),
    Column("height", "Height of the face's bounding box.", PIXELS),
    Column("score", "How sure the detector is that this is a face.", "0 to 1"),
    Column("emotion", "The likeliest expression.", None, "string", EXPRESSIONS),
    *(
        Column(name, f"Probability of the expression {name}, smoothed over time.", PROBABILITY)
        for name in EMOTIONS
    ),
    Column("valence", "How pleasant the face looks: the probability of happy less the largest of "
           "angry, disgust, fear and sad.", "-1 to 1"),
    Column("eyes_px", "Distance between the eyes.", PIXELS),
    Column("roll_deg", "Turn of the line between the eyes, positive for a face turned clockwise in "
           "the picture. Empty if the detector does not find eyes.", "deg"),
    Column("usable", "Whether the face is large enough, and seen enough from the front, for its "
           "expression to be relied on.", None, "integer",
           {"0": "It cannot be relied on.", "1": "It can be relied on."}),
    Column("no_face", "Why the frame has no face; empty where it has one.", None, "string",
           {key: NO_FACE[key] for key in ("none found", "left out")}),
    *(
        Column(f"raw_{name}", f"Probability of the expression {name}, as the network gave it.",
               PROBABILITY)
        for name in EMOTIONS
    ),
)  # fmt: skip
"""All that ``timeline.csv`` may have."""

SEGMENTS = (
    TRACK,
    Column("emotion", "The expression with the highest mean probability.", None, "string",
           SEGMENT_LABELS),
    Column("start_s", "When the segment begins, from the first frame of the video.", "s"),
    Column("end_s", "When it ends, from the first frame of the video.", "s"),
    Column("confidence", "Mean probability of the likeliest expression.", PROBABILITY),
    Column("peak_s", "When that expression was likeliest, from the first frame of the video.", "s"),
    Column("peak_confidence", "How likely it was then.", PROBABILITY),
)  # fmt: skip
