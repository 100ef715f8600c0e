"""Write ``index.html``, the page of all results in an output folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from configs.names import printable
from models.emotions import EMOTIONS
from pipeline.result_folders import INDEX, REPORT
from pipeline.results.folder import STILL
from pipeline.results.pages import render
from pipeline.results.person import Names, persons
from pipeline.results.segments import COLOURS, LABELS
from pipeline.results.summary import Summary
from stages.batch import NOBODY
from stages.write.files import write_atomically

STYLES, SCRIPTS = ("index.css",), ("clock.js", "stacks.js", "index.js")

ORDER = ("failed", "partial", "waiting", "complete")
"""What needs attention comes first."""


def write_index(
    out: Path, results: Mapping[Path, Summary | None], names: Mapping[Path, Names] | None = None
) -> None:
    """Write the page into the output folder.

    Args:
        results: by folder; without a summary until the video is done.
        names: of people, by folder, as a user gave them.

    Raises:
        OutputError: it cannot be written.
    """
    names = names or {}
    videos = [
        _video(out, folder, summary, names.get(folder, {})) for folder, summary in results.items()
    ]
    page = render(
        "index.html",
        title="Emotion timelines",
        styles=STYLES,
        scripts=SCRIPTS,
        order=ORDER,
        values={
            "data": {
                "order": ORDER,
                "labels": LABELS,
                "colours": [COLOURS[label] for label in LABELS],
                "videos": videos,
            }
        },
    )
    write_atomically(out / INDEX, page)


def _video(out: Path, folder: Path, summary: Summary | None, names: Names) -> dict[str, Any]:
    """What the page's script needs of a video; what is not known is left out."""
    place = folder.relative_to(out)
    address = quote(os.fsencode(place))
    video: dict[str, Any] = {"name": printable(place.as_posix()), "status": "waiting"}
    if summary is None:
        return video
    video |= {"status": summary.status, "reason": summary.reason}
    if summary.frames:
        people = _people(summary, names)
        video |= {
            "length_s": summary.duration_s,
            "people": len({person["track"] for person in people}),
            "names": list(filter(None, dict.fromkeys(names.values()))),
            "strip": summary.strip,
            "shares": _shares(people),
        }
    if REPORT in summary.files:
        video["report"] = f"{address}/{REPORT}"
    if STILL in summary.files:
        video["still"] = f"{address}/{STILL}"
    return video


def _people(summary: Summary, names: Names) -> list[dict[str, Any]]:
    """Figures of each track, with the track that stands for it; without those left out."""
    stands_for = persons(names)
    people = [
        {**person, "track": stands_for.get(person["track"], person["track"])}
        for person in summary.people
    ]
    return [person for person in people if person["track"] != NOBODY]


def _shares(people: Sequence[Mapping[str, Any]]) -> list[float]:
    """Share of the usable time of all people, by expression; empty without any."""
    people = [person for person in people if person["shares"]]
    usable_s = [person["face_s"] * person["usable_share"] for person in people]
    total_s = sum(usable_s)
    if not total_s:
        return []
    return [
        round(
            sum(
                lasts_s * person["shares"][name]
                for lasts_s, person in zip(usable_s, people, strict=True)
            )
            / total_s,
            4,
        )
        for name in EMOTIONS
    ]
