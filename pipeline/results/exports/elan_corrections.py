"""Read segments back that a user corrected in ELAN."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from configs.errors import UserTableError
from configs.names import nearest
from pipeline.results.person import Names, persons
from pipeline.results.segments import LABELS, Segment, segment_of
from pipeline.results.timeline import Timeline
from stages.batch import NOBODY
from stages.write.files import move_into_place, output_errors_name, unfinished_name

if TYPE_CHECKING:
    from pympi import Eaf

BY_HAND = "by_hand.eaf"
"""Copy of a corrected file, in the video's folder; an analysis leaves it there."""

TIER = re.compile(r"Person (\d+)")
MS = 1000
SAME_MS = 1
"""ELAN's times are whole milliseconds: one as near as this to a frame is the frame's."""


def read_corrected(path: Path) -> Eaf:
    """A file of ELAN.

    Raises:
        UserTableError: it cannot be read.
    """
    from pympi import Eaf

    try:
        return Eaf(str(path), suppress_version_warning=True)
    except Exception as error:  # It has errors of many kinds.
        problem = getattr(error, "strerror", None) or "not a file of ELAN"
        raise UserTableError([f"{path}: {problem}; save it in ELAN again"]) from error


def linked_files(document: Eaf, path: Path) -> Iterator[Path]:
    """The media that a file of ELAN names, wherever they may be."""
    for media in document.media_descriptors:
        for address in (media.get("MEDIA_URL"), media.get("RELATIVE_MEDIA_URL")):
            if address:
                name = address.removeprefix("file://")
                for decoded in (name, unquote(urlsplit(address).path)):
                    yield (path.parent / decoded).resolve()


def tiers_of(document: Eaf, path: Path, tracks: Collection[int], names: Names) -> dict[str, int]:
    """The tracks that the tiers of people are of, by the tier's name.

    A tier is called ``Person 1`` or by the person's name; other tiers, and those that depend on
    another, are a user's own.

    Raises:
        UserTableError: a tier is of a person who is not in the video, or none is of a person.
    """
    named = {names[track]: stands for track, stands in persons(names).items()}
    tiers: dict[str, int] = {}
    problems = []
    for tier in document.get_tier_names():
        if document.get_parameters_for_tier(tier).get("PARENT_REF"):
            continue
        numbered = TIER.fullmatch(tier)
        track = int(numbered[1]) if numbered else named.get(tier, NOBODY)
        if track in tracks:
            tiers[tier] = track
        elif numbered:
            people = ", ".join(f"Person {number}" for number in tracks) or "nobody"
            problems.append(f"{path}: tier {tier!r}: the video has {people}; rename the tier")
    if not tiers and not problems:
        problems = [f"{path}: no tier of a person; call them 'Person 1' and so on, or by --names"]
    if problems:
        raise UserTableError(problems)
    return tiers


def keep_corrected(path: Path, folder: Path) -> None:
    """Copy a corrected file into the folder of its video.

    Raises:
        OutputError: it cannot be written.
    """
    kept = folder / BY_HAND
    if kept.exists() and kept.samefile(path):
        return
    with output_errors_name(kept):
        shutil.copyfile(path, unfinished_name(kept))
    move_into_place(kept)


def segments_in(
    path: Path, tiers: Mapping[str, int], film_starts_s: float, timeline: Timeline
) -> list[Segment]:
    """The segments in a corrected file, by person and time.

    Confidence and peak are those of the table, for the expression that the user named.

    Args:
        tiers: as ``tiers_of`` returns.
        film_starts_s: presentation time of the first frame, which ELAN's times count from.

    Raises:
        UserTableError: an annotation is no expression, or is where the person's face is not seen.
    """
    document = read_corrected(path)
    segments, problems = [], []
    frames_s = np.unique([timeline.time_s, timeline.until_s])
    for tier, track in tiers.items():
        rows = timeline.rows_of(track)
        for start_ms, end_ms, value in sorted(
            (start, end, value) for start, end, value, *_ in
            document.get_annotation_data_for_tier(tier) if None not in (start, end)
        ):  # fmt: skip
            label, where = value.strip(), f"{path}: tier {tier!r}, {start_ms} to {end_ms} ms"
            if label not in LABELS:
                problems.append(
                    f"{where}: {label!r} is no expression{nearest(label, LABELS)}; "
                    f"use {', '.join(LABELS)}"
                )
                continue
            start_s = _frame_s(start_ms, film_starts_s, frames_s)
            end_s = _frame_s(end_ms, film_starts_s, frames_s)
            within = rows[(timeline.until_s[rows] > start_s) & (timeline.time_s[rows] < end_s)]
            if not len(within):
                problems.append(f"{where}: the face of person {track} is not seen then; delete it")
                continue
            shown_s = np.minimum(timeline.until_s[within], end_s) - np.maximum(
                timeline.time_s[within], start_s
            )
            weights = shown_s if shown_s.any() else None
            segments.append(segment_of(timeline, within, weights, (start_s, end_s), label))
    if problems:
        raise UserTableError(problems)
    return sorted(segments, key=lambda segment: (segment.track, segment.start_s))


def _frame_s(at_ms: int, film_starts_s: float, frames_s: NDArray[np.float64]) -> float:
    """The time of the frame that an annotation begins or ends at; its own, if there is none."""
    at_s = max(at_ms / MS - film_starts_s, 0.0)
    near = frames_s[np.abs(frames_s - at_s).argmin()]
    return float(near) if abs(near - at_s) * MS <= SAME_MS else at_s
