"""The figures of a study worked out again, row by row, from nothing but ``timeline.csv``."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
MEASURES = (*EMOTIONS, "valence")


@dataclass
class Row:
    """One face of one frame."""

    who: int
    start_s: float
    until_s: float
    usable: bool
    values: dict[str, float]


def rows_in(table: Path, who: Callable[[int], int | None]) -> tuple[list[Row], float]:
    """The faces of a table, and when the film ends.

    Args:
        who: the person that a track is of; None to leave it out.
    """
    with table.open(newline="") as lines:
        records = list(csv.DictReader(lines))
    times = sorted({float(record["time_s"]) for record in records})
    usual = sorted(after - before for before, after in pairwise(times[-10:]))[4]
    until = dict(zip(times, [*times[1:], times[-1] + usual], strict=True))
    rows = []
    for record in records:
        person = who(int(record["track"])) if record["track"] else None
        if person is not None:
            values = {name: float(record[name]) for name in EMOTIONS}
            values["valence"] = float(record["valence"])
            further = list(record)[list(record).index("no_face") + 1 :]
            values |= {name: float(record[name]) for name in further}
            at = float(record["time_s"])
            rows.append(Row(person, at, until[at], record["usable"] == "1", values))
    return rows, until[times[-1]]


def figures(rows: Iterable[Row], start_s: float, end_s: float, film_s: float) -> dict[str, float]:
    """All figures of one person over a stretch of time; NaN where there are none."""
    seen = [
        (min(row.until_s, end_s) - max(row.start_s, start_s), row)
        for row in rows
        if row.start_s < end_s and row.until_s > start_s
    ]
    usable = [(lasts, row) for lasts, row in seen if row.usable and lasts > 1e-9]
    seen_s, usable_s = (math.fsum(lasts for lasts, _ in part) for part in (seen, usable))
    length = min(end_s, film_s) - max(start_s, 0)
    found = {
        "seen_share": seen_s / length,
        "usable_share": usable_s / seen_s if seen_s > 1e-9 else math.nan,
        "usable_s": usable_s,
    }
    for name in usable[0][1].values if usable else ():
        weighted = math.fsum(lasts * row.values[name] for lasts, row in usable) / usable_s
        if name.startswith("baseline_"):
            found[name] = weighted
            continue
        found[f"mean_{name}"] = weighted
        peak = max(row.values[name] for _, row in usable)
        found[f"max_{name}"] = peak
        first = next(row for _, row in usable if row.values[name] == peak)
        found[f"peak_{name}_s"] = max(0.0, first.start_s - start_s)
    return found


def neutral_logs(rows: Iterable[Row], start_s: float, end_s: float) -> dict[str, float]:
    """Mean logarithm of each probability over a stretch."""
    parts = [
        (min(row.until_s, end_s) - max(row.start_s, start_s), row)
        for row in rows
        if row.usable and row.start_s < end_s and row.until_s > start_s
    ]
    total = math.fsum(lasts for lasts, _ in parts)
    return {
        name: math.fsum(lasts * math.log(max(row.values[name], 1e-4)) for lasts, row in parts)
        / total
        for name in EMOTIONS
    }


def compare(row: Row, own: dict[str, float], typical: dict[str, float]) -> None:
    """Add to a row what it is by the formula of baselines."""
    powers = {
        name: math.exp(math.log(max(row.values[name], 1e-4)) - 0.35 * (own[name] - typical[name]))
        for name in EMOTIONS
    }
    total = math.fsum(powers.values())
    for name in EMOTIONS:
        row.values[f"baseline_{name}"] = powers[name] / total
    negative = max(powers[name] / total for name in ("angry", "disgust", "fear", "sad"))
    row.values["baseline_valence"] = powers["happy"] / total - negative
