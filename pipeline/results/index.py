"""Write ``index.html``, the page of all results in an output folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from configs.names import printable
from models.emotions import EMOTIONS
from pipeline.results.clock import clock
from pipeline.results.report import REPORT, in_words, legend, shares_bar, style
from pipeline.results.summary import Summary
from stages.write.files import write_atomically

INDEX = "index.html"

ORDER = ("failed", "partial", "waiting", "complete")
"""Order of the rows: what needs attention comes first."""


def write_index(out: Path, results: Mapping[Path, Summary | None]) -> None:
    """Write the page into the output folder.

    Args:
        results: by folder; without a summary until the video is done.

    Raises:
        OutputError: it cannot be written.
    """
    entries = sorted(results.items(), key=lambda entry: ORDER.index(_status(entry[1])))
    counts = {status: sum(_status(summary) == status for _, summary in entries) for status in ORDER}
    facts = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    rows = "".join(_row(out, folder, summary) for folder, summary in entries)
    write_atomically(
        out / INDEX,
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<title>Emotion timelines</title>\n'
        f'<link rel="icon" href="data:,">\n<style>{style()}</style>\n</head>\n<body>\n'
        f'<header><h1>Emotion timelines</h1><p class="facts">{len(entries)} videos: {facts}</p>'
        f'</header>\n<main><section>{legend()}<div class="scroll"><table>'
        '<thead><tr><th>video</th><th>status</th><th class="number">length</th>'
        '<th class="number">people</th><th>share of the time that faces are seen</th></tr></thead>'
        f"<tbody>\n{rows}</tbody></table></div></section></main>\n</body>\n</html>\n",
    )


def _row(out: Path, folder: Path, summary: Summary | None) -> str:
    place = folder.relative_to(out)
    name, status = escape(printable(place.as_posix())), _status(summary)
    if summary and REPORT in summary.files:
        name = f'<a href="{quote(os.fsencode(place))}/{REPORT}">{name}</a>'
    reason = (
        f'<br><span class="in-words">{escape(summary.reason)}</span>'
        if summary and summary.reason
        else ""
    )
    length = clock(summary.duration_s, summary.duration_s) if summary and summary.frames else ""
    people = str(len(summary.people)) if summary and summary.frames else ""
    return (
        f'<tr><th>{name}{reason}</th><td class="status {status}">{status}</td>'
        f'<td class="number">{length}</td><td class="number">{people}</td><td>{_shares(summary)}'
        "</td></tr>\n"
    )


def _status(summary: Summary | None) -> str:
    return summary.status if summary else "waiting"


def _shares(summary: Summary | None) -> str:
    people = [person for person in (summary.people if summary else ()) if person["shares"]]
    # Early versions took all of the time.
    usable_s = [person["face_s"] * person.get("usable_share", 1) for person in people]
    total_s = sum(usable_s)
    if not total_s:
        return ""
    shares = {
        name: sum(
            lasts_s * person["shares"][name]
            for lasts_s, person in zip(usable_s, people, strict=True)
        )
        / total_s
        for name in EMOTIONS
    }
    return f'{shares_bar(shares)}<span class="in-words">{in_words(shares)}</span>'
