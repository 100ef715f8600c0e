"""The columns of networks beyond the seven expressions, by what a summary says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.card import OutputColumn, columns_in
from pipeline.results.codebook import Column


def outputs_of(provenance: Mapping[str, Any]) -> list[OutputColumn]:
    """The columns of all networks, in the order of the table.

    Args:
        provenance: as in ``summary.json``; that of an early version says nothing of them.
    """
    networks = [provenance.get("model") or {}, *(provenance.get("networks") or ())]
    return [column for facts in networks for column in columns_in(facts)]


def meanings_of(columns: Sequence[OutputColumn]) -> list[Column]:
    """For a codebook: the columns of ``timeline.csv``, then those before smoothing."""
    smoothed = [
        Column(column.name, f"{in_words(column)}, smoothed over time.", column.unit)
        for column in columns
    ]
    raw = [
        Column(f"raw_{column.name}", f"{in_words(column)}, as the network gave it.", column.unit)
        for column in columns
    ]
    return smoothed + raw


def in_words(column: OutputColumn) -> str:
    """What a column is, for descriptions."""
    what = "Value" if column.kind == "value" else "Probability"
    return f"{what} of {column.name} by the network {column.network}"


def for_pages(columns: Sequence[OutputColumn]) -> list[dict[str, Any]]:
    """What ``web/lines.js`` needs of each column."""
    return [
        {"name": column.name, "low": column.low, "high": column.high, "unit": column.unit}
        for column in columns
    ]
