"""The columns of ``timeline.csv``, each declared once.

The writer, the reader, the codebook, Parquet's metadata, ``load`` and the tables over all results
derive from ``TIMELINE``: a new column is an entry in it, and a line in docs/outputs.md. Columns
of a run's networks are declared by their cards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.card import OutputColumn
from models.emotions import EMOTIONS, valence_of
from stages.batch import FrameBatch
from stages.geometry import eye_lines

PROBABILITY, PIXELS = "probability, 0 to 1", "px of the upright picture"

PROBABILITY_STEPS = 10_000
"""Probabilities are written in steps of one over this."""

EXPRESSIONS = {name: f"The face looks {name} to most people." for name in EMOTIONS} | {
    "disgust": "The face shows disgust to most people.",
    "fear": "The face shows fear to most people.",
    "surprise": "The face shows surprise to most people.",
}
"""The levels of a column that holds an expression."""

NONE_FOUND, LEFT_OUT = "none found", "left out"
"""Why a frame has no face: none was found; or one was, but for too short a time to be shown."""

PANDAS_TYPES = {"integer": "Int64", "number": "float64", "string": "string"}
"""By ``Column.type``, of tables over all results; whole numbers may be missing in them."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its name in the table.
        description: what it means, and when it is empty.
        unit: of its values; None for names and counts.
        type: of its values.
        levels: what each possible value means, if there are few.
        cell: how a number is written, as in format strings; of videos' own tables.
        bits: of a number as it is read back.
    """

    name: str
    description: str
    unit: str | None = None
    type: Literal["integer", "number", "string"] = "number"
    levels: Mapping[str, str] | None = None
    cell: str = ""
    bits: Literal[32, 64] = 64

    @property
    def meaning(self) -> dict[str, Any]:
        """Its entry in a codebook, as in the sidecar files of tables in BIDS.

        That is the Brain Imaging Data Structure (bids-specification.readthedocs.io).
        """
        entry = {
            "Description": self.description,
            "Units": self.unit,
            "Format": self.type,
            "Levels": dict(self.levels) if self.levels else None,
        }
        return {key: value for key, value in entry.items() if value is not None}

    def cell_of(self, value: Any) -> str:
        """What is written of a value; of what is no number, nothing."""
        if self.type != "number":
            return str(value)
        return format(value, self.cell) if isfinite(value) else ""


def codebook_text(columns: Iterable[Column]) -> str:
    """A codebook, ``NAME.json`` beside a table ``NAME.csv``: what its columns mean, as JSON."""
    return json.dumps({column.name: column.meaning for column in columns}, indent=2) + "\n"


class BatchValues:
    """A finalised batch as columns draw on it; what several of them need is worked out once.

    Args:
        batch: with n frames and m faces.
        measured: whether landmarks were found, not placed by a face's box; otherwise the turn of
            the eye line is not known.
    """

    def __init__(self, batch: FrameBatch, measured: bool = True) -> None:
        self.batch, self._measured = batch, measured

    @property
    def frames(self) -> NDArray[np.int64]:
        """Numbers of the frames: (n,)."""
        return self.batch.first_frame + np.arange(len(self.batch)) * self.batch.frame_step

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """Probabilities as ``rounded_to_steps`` gives them: (m, 7)."""
        return rounded_to_steps(self.batch.probabilities)

    @cached_property
    def raw_steps(self) -> NDArray[np.int64]:
        """Those before smoothing, likewise."""
        return rounded_to_steps(self.batch.raw_probabilities)

    @cached_property
    def _eye_lines(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return eye_lines(self.batch.landmarks)

    @property
    def eyes_px(self) -> NDArray[np.float64]:
        """(m,), in tenths."""
        return self._eye_lines[0].round(1)

    @property
    def roll_deg(self) -> NDArray[np.float64]:
        """(m,), in tenths, without a minus before 0; NaN where it is not known."""
        roll_deg = self._eye_lines[1].round(1) + 0.0
        return roll_deg if self._measured else np.full_like(roll_deg, np.nan)

    @property
    def reasons(self) -> NDArray[np.str_]:
        """Why each frame would have no face: (n,)."""
        found = np.isin(np.arange(len(self.batch)), self.batch.face_frame)
        return np.where(found, LEFT_OUT, NONE_FOUND)


Source = Callable[[BatchValues], np.ndarray]
"""Gives the values of a column for a batch."""


@dataclass(frozen=True, kw_only=True)
class TimelineColumn(Column):
    """A column of ``timeline.csv``.

    Attributes:
        source: gives a value for each face of a batch, (m,), or for each frame, (n,).
        of: what it has cells for: every face, every frame, or every frame without a face.
        raw_source: gives the values before smoothing; None if it is not smoothed over time.
        mean_of: what it is called where tables over all results have its means and maxima; None
            if they have none.
        network: file of the network that it belongs to; None for the program's own.
    """

    source: Source
    of: Literal["face", "frame", "absence"] = "face"
    raw_source: Source | None = None
    mean_of: str | None = None
    network: str | None = None
    bits: Literal[32, 64] = 32


def _smoothed(what: str, **fields: Any) -> TimelineColumn:
    return TimelineColumn(description=f"{what}, smoothed over time.", cell=".4f", **fields)


def _expression(index: int, name: str) -> TimelineColumn:
    return _smoothed(
        f"Probability of the expression {name}",
        name=name,
        unit=PROBABILITY,
        source=lambda values: values.steps[:, index] / PROBABILITY_STEPS,
        raw_source=lambda values: values.raw_steps[:, index] / PROBABILITY_STEPS,
        mean_of=f"probability of {name}",
    )


def _box(index: int, name: str, description: str) -> TimelineColumn:
    return TimelineColumn(
        name=name,
        description=description,
        unit=PIXELS,
        source=lambda values: values.batch.boxes[:, index],
        cell=".1f",
    )


TRACK = Column("track", "Number of the person in this video, from 1.", type="integer")

TIMELINE = (
    TimelineColumn(
        name="frame",
        description="Number of the frame in the video, from 0.",
        type="integer",
        of="frame",
        source=lambda values: values.frames,
    ),
    TimelineColumn(
        name="time_s",
        description="When the frame is shown, from the first frame of the video.",
        unit="s",
        of="frame",
        source=lambda values: values.batch.time_s,
        cell=".6f",
        bits=64,
    ),
    TimelineColumn(
        name="track",
        description=f"{TRACK.description} Empty, as all that follows, without a face.",
        type="integer",
        source=lambda values: values.batch.people,
    ),
    _box(0, "x", "Left edge of the face's bounding box."),
    _box(1, "y", "Upper edge of the face's bounding box."),
    _box(2, "width", "Width of the face's bounding box."),
    _box(3, "height", "Height of the face's bounding box."),
    TimelineColumn(
        name="score",
        description="How sure the detector is that this is a face.",
        unit="0 to 1",
        source=lambda values: values.batch.scores,
        cell=".3f",
    ),
    TimelineColumn(
        name="emotion",
        description="The likeliest expression.",
        type="string",
        levels=EXPRESSIONS,
        source=lambda values: np.array(EMOTIONS)[values.steps.argmax(axis=1)],
    ),
    *(_expression(index, name) for index, name in enumerate(EMOTIONS)),
    TimelineColumn(
        name="valence",
        description="How pleasant the face looks: the probability of happy less the largest of "
        "angry, disgust, fear and sad.",
        unit="-1 to 1",
        source=lambda values: valence_of(values.steps) / PROBABILITY_STEPS,
        cell=".4f",
        mean_of="valence",
    ),
    TimelineColumn(
        name="eyes_px",
        description="Distance between the eyes.",
        unit=PIXELS,
        source=lambda values: values.eyes_px,
        cell=".1f",
    ),
    TimelineColumn(
        name="roll_deg",
        description="Turn of the line between the eyes, positive for a face turned clockwise in "
        "the picture. Empty if the detector does not find eyes.",
        unit="deg",
        source=lambda values: values.roll_deg,
        cell=".1f",
    ),
    TimelineColumn(
        name="usable",
        description="Whether the face is large enough, and seen enough from the front, for its "
        "expression to be relied on.",
        type="integer",
        levels={"0": "It cannot be relied on.", "1": "It can be relied on."},
        source=lambda values: values.batch.usable.astype(np.int64),
    ),
    TimelineColumn(
        name="no_face",
        description="Why the frame has no face; empty where it has one.",
        type="string",
        levels={
            NONE_FOUND: "No face was found.",
            LEFT_OUT: "A face was found, but for too short a time to be shown (track.min_s).",
        },
        of="absence",
        source=lambda values: values.reasons,
    ),
)
"""The program's own; columns of networks follow, then all before smoothing if they are kept."""


def network_columns(outputs: Sequence[OutputColumn]) -> list[TimelineColumn]:
    """The columns of a run's networks, in the order of ``FrameBatch.values``."""
    return [_of_network(index, output) for index, output in enumerate(outputs)]


def _of_network(index: int, output: OutputColumn) -> TimelineColumn:
    what = "Value" if output.kind == "value" else "Probability"
    words = f"{what} of {output.name} by the network {output.network}"
    return _smoothed(
        words,
        name=output.name,
        unit=output.unit,
        source=lambda values: _nth(values.batch.values, index),
        raw_source=lambda values: _nth(values.batch.raw_values, index),
        mean_of=words[0].lower() + words[1:],
        network=output.network,
    )


def _nth(values: np.ndarray, index: int) -> np.ndarray:
    """A column of values; without faces they may have none."""
    return values[:, index] if len(values) else np.empty(0, np.float32)


def raw_columns(columns: Iterable[TimelineColumn]) -> list[TimelineColumn]:
    """For each that is smoothed, one of the values before that."""
    return [
        replace(
            column,
            name=f"raw_{column.name}",
            description=column.description.replace("smoothed over time", "as the network gave it"),
            source=column.raw_source,
            raw_source=None,
            mean_of=None,
        )
        for column in columns
        if column.raw_source is not None
    ]


def timeline_columns(
    keep_raw: bool = False, outputs: Sequence[OutputColumn] = ()
) -> list[TimelineColumn]:
    """All columns of a ``timeline.csv``, in their order.

    Args:
        keep_raw: as the setting ``smooth.keep_raw``.
        outputs: what networks give beyond the seven expressions.
    """
    further = network_columns(outputs)
    if not keep_raw:
        return [*TIMELINE, *further]
    return [*TIMELINE, *raw_columns(TIMELINE), *further, *raw_columns(further)]


def column_names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]


def whole_percent(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """What films and pages show of probabilities in steps: percent, halves up."""
    of_percent = PROBABILITY_STEPS // 100
    return (steps + of_percent // 2) // of_percent


def rounded_to_steps(probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
    """Round probabilities so that each row still sums to exactly 1 (largest remainder method).

    Args:
        probabilities: (m, 7), rows summing to 1.

    Returns:
        (m, 7), in steps; rows sum to ``PROBABILITY_STEPS``.
    """
    exact = probabilities.astype(np.float64) * PROBABILITY_STEPS
    steps = np.floor(exact).astype(np.int64)
    missing = PROBABILITY_STEPS - steps.sum(axis=1, keepdims=True)
    rank = np.argsort(np.argsort(steps - exact, axis=1, kind="stable"), axis=1, kind="stable")
    steps += rank < missing
    return steps
