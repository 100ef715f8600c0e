"""``conditions.csv``: conditions compared, each participant counting once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas

from pipeline.study.study_columns import BASELINE_MEASURES, MEASURES
from stages.columns import Column, column_names
from stages.write.files import move_into_place, output_errors_name, unfinished_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


def conditions_of(tables: Iterable[pandas.DataFrame], further: Sequence[str]) -> pandas.DataFrame:
    """A row for each condition, event and measure; within a participant, time weighs.

    Args:
        tables: what ``figures`` returns, with ``participant``, ``condition`` and perhaps ``event``.
        further: measures beyond ``MEASURES`` that are compared, too.
    """
    named = {name: f"mean_{name}" for name in (*MEASURES, *further)}
    named |= {name: name for name in BASELINE_MEASURES}
    parts = [
        table[["participant", "condition", "usable_s"]]
        .assign(
            event=table.get("event", ""),
            **{name: table[column] for name, column in named.items() if column in table},
        )
        .dropna(subset=["participant", "condition"])
        for table in tables
    ]
    if not parts:
        return pandas.DataFrame(columns=column_names(COLUMNS))
    rows = pandas.concat(parts, ignore_index=True)
    by = ["condition", "event", "participant"]
    measures = [name for name in (*MEASURES, *BASELINE_MEASURES, *further) if name in rows]
    long = rows.melt([*by, "usable_s"], measures, "measure", "value").dropna(subset=["value"])
    long["value"] *= long["usable_s"]
    sums = long.groupby([*by, "measure"], sort=False)[["value", "usable_s"]].sum()
    own = (sums["value"] / sums["usable_s"]).dropna()
    groups = own.groupby(["condition", "event", "measure"], sort=False)
    table = pandas.DataFrame(
        {"mean": groups.mean(), "se": groups.std() / np.sqrt(groups.size()), "n": groups.size()}
    ).reset_index()
    ranks = {"event": list(dict.fromkeys(table["event"])).index, "measure": measures.index}
    return table.sort_values(
        ["event", "measure", "condition"],
        key=lambda column: column.map(ranks[column.name]) if column.name in ranks else column,
        ignore_index=True,
    )[column_names(COLUMNS)]


PANEL_IN, HEIGHT_IN, DPI = (4.2, 2.6), 0.7, 200
MAX_PANELS = 3
"""In a row."""

GREY = "0.35"
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000")
"""Okabe and Ito's, which people who do not see all colours can tell apart."""


def draw_conditions(table: pandas.DataFrame, path: Path) -> None:
    """Draw means and standard errors: a panel for whole videos and for each event.

    Where people are compared with their own neutral faces, a panel below shows that.

    Args:
        table: ``conditions.csv``.
        path: file to write, ``.png`` or ``.svg``; the text of the latter stays text.

    Raises:
        OutputError: it cannot be written.
    """
    import matplotlib  # Slow to import.
    from matplotlib.figure import Figure

    compared = table["measure"].str.startswith("baseline_").any()
    kinds = ["", "baseline_"] if compared else [""]
    panels = [(event, kind) for kind in kinds for event in dict.fromkeys(table["event"])]
    across = min(MAX_PANELS, len(panels) // len(kinds))
    down = -(-len(panels) // across)
    conditions = list(dict.fromkeys(table["condition"]))
    width_in, height_in = PANEL_IN
    figure = Figure((width_in * across, height_in * down + HEIGHT_IN), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for axes, (event, kind) in zip(grid, panels, strict=False):
        _draw_panel(axes, table[table["event"] == event], kind, conditions)
        name = event or "whole videos"
        axes.set_title(
            f"{name}, by baseline" if kind else name, loc="left", fontsize=9, parse_math=False
        )
    for axes in grid[::across]:
        axes.set_ylabel("mean ± standard error", fontsize=8, color=GREY)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8
    )  # fmt: skip
    with output_errors_name(path), matplotlib.rc_context({"svg.fonttype": "none"}):
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(unfinished_name(path), dpi=DPI, metadata=metadata)
    move_into_place(path)


def _draw_panel(axes: Axes, rows: pandas.DataFrame, kind: str, conditions: list[str]) -> None:
    places = np.arange(len(MEASURES))
    for number, condition in enumerate(conditions):
        own = rows[rows["condition"] == condition].set_index("measure")
        own = own.reindex([f"{kind}{name}" for name in MEASURES])
        aside = 0.5 * ((number + 0.5) / len(conditions) - 0.5)
        people = own["n"].max()
        axes.errorbar(
            places + aside, own["mean"], own["se"].fillna(0.0), fmt="o", markersize=4, capsize=2,
            linewidth=1, color=COLOURS[number % len(COLOURS)],
            label=f"{condition} (n = {0 if np.isnan(people) else int(people)})".replace("$", r"\$"),
        )  # fmt: skip
    axes.axhline(0, color="0.85", linewidth=0.6, zorder=0)
    axes.set_xticks(places, MEASURES, rotation=30, ha="right")
    axes.tick_params(length=0, labelcolor=GREY, labelsize=8)
    axes.spines[:].set_visible(False)
