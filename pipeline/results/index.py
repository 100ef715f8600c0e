"""Write ``index.html``, the page of all results in an output folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from configs.names import printable
from models.emotions import EMOTIONS
from pipeline.places import INDEX, REPORT
from pipeline.results.folder import STILL
from pipeline.results.pages import COLOURS, render
from pipeline.results.segments import LABELS
from pipeline.results.summary import Summary
from stages.write.files import write_atomically

STYLES, SCRIPTS = ("index.css",), ("clock.js", "stacks.js", "index.js")

ORDER = ("failed", "partial", "waiting", "complete")
"""What needs attention comes first."""


def write_index(out: Path, results: Mapping[Path, Summary | None]) -> None:
    """Write the page into the output folder.

    Args:
        results: by folder; without a summary until the video is done.

    Raises:
        OutputError: it cannot be written.
    """
    videos = [_video(out, folder, summary) for folder, summary in results.items()]
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


def _video(out: Path, folder: Path, summary: Summary | None) -> dict[str, Any]:
    """What the page's script needs of a video; what is not known is left out."""
    place = folder.relative_to(out)
    address = quote(os.fsencode(place))
    video: dict[str, Any] = {"name": printable(place.as_posix()), "status": "waiting"}
    if summary is None:
        return video
    video |= {"status": summary.status, "reason": summary.reason}
    if summary.frames:
        video |= {
            "length_s": summary.duration_s,
            "people": len(summary.people),
            "strip": summary.strip,
            "shares": _shares(summary),
        }
    if REPORT in summary.files:
        video["report"] = f"{address}/{REPORT}"
    if STILL in summary.files:
        video["still"] = f"{address}/{STILL}"
    return video


def _shares(summary: Summary) -> list[float]:
    """Share of the usable time of all people, by expression; empty without any."""
    people = [person for person in summary.people if person["shares"]]
    # Early versions took all of the time.
    usable_s = [person["face_s"] * person.get("usable_share", 1) for person in people]
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
