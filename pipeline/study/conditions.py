"""``conditions.csv``: conditions compared, each participant counting once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas

from pipeline.study.columns import BASELINE_MEASURES, MEASURES
from stages.columns import Column, column_names

CONDITIONS, PICTURES = "conditions.csv", ("conditions.png", "conditions.svg")

COLUMNS = (
    Column("condition", "From the table of participants.", type="string"),
    Column("event", "Name of the event; empty for whole videos.", type="string"),
    Column("measure", "Expression, or valence; baseline_... compared with the person's own "
           "neutral face; or the column of a network.", type="string"),
    Column("mean", "Mean over participants of their means over usable time.", "of the measure"),
    Column("se", "Standard error of this mean, by participant; empty for a single one.",
           "of the measure"),
    Column("n", "Number of participants.", type="integer"),
)  # fmt: skip


class ConditionMeans:
    """Gathers the figures of stretches of time, then compares conditions.

    Args:
        further: outputs of networks that are compared, too.
    """

    def __init__(self, further: Sequence[str] = ()) -> None:
        self._measures = (*MEASURES, *BASELINE_MEASURES, *further)
        self._parts: list[pandas.DataFrame] = []

    def add(self, table: pandas.DataFrame) -> None:
        """Take rows with ``participant``, ``condition`` and what ``figures`` returns."""
        there = [name for name in self._measures if _column(name) in table]
        part = table[["participant", "condition", "usable_s"]].assign(
            event=table.get("event", ""),
            **{name: table[_column(name)] for name in there},
        )
        self._parts.append(part.dropna(subset=["participant", "condition"]))

    def table(self) -> pandas.DataFrame:
        """A row for each condition, event and measure; within a participant, time weighs."""
        if not self._parts:
            return pandas.DataFrame(columns=column_names(COLUMNS))
        rows = pandas.concat(self._parts, ignore_index=True)
        by = ["condition", "event", "participant"]
        measures = [name for name in self._measures if name in rows]
        long = rows.melt([*by, "usable_s"], measures, "measure", "value").dropna(subset=["value"])
        long["value"] *= long["usable_s"]
        sums = long.groupby([*by, "measure"], sort=False)[["value", "usable_s"]].sum()
        own = (sums["value"] / sums["usable_s"]).dropna()
        groups = own.groupby(["condition", "event", "measure"], sort=False)
        table = pandas.DataFrame(
            {"mean": groups.mean(), "se": groups.std() / np.sqrt(groups.size()), "n": groups.size()}
        ).reset_index()
        return _sorted(table, measures)


def _column(measure: str) -> str:
    return measure if measure.startswith("baseline_") else f"mean_{measure}"


def _sorted(table: pandas.DataFrame, measures: Sequence[str]) -> pandas.DataFrame:
    """By event, in the order in which they came, then measure and condition."""
    events = list(dict.fromkeys(table["event"]))
    return table.sort_values(
        ["event", "measure", "condition"],
        key=lambda column: (
            column.map({"event": events, "measure": list(measures)}[column.name].index)
            if column.name != "condition"
            else column
        ),
        ignore_index=True,
    )[column_names(COLUMNS)]
