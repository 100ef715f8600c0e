"""Write ``report.html``, one self-contained file with a video's timeline beside its film."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from pipeline.results.clock import clock, ticks
from pipeline.results.outlines import COLOURS_RGB, outlines_of
from pipeline.results.people import Person
from pipeline.results.segments import LABELS, Segment, segments_by_person
from pipeline.results.summary import Summary
from pipeline.results.timeline import Timeline
from pipeline.results.video_result import VideoResult
from stages.write.files import write_atomically

REPORT = "report.html"

MAX_STEPS = 3000
"""Of a lane, however long the video: bounds the size of the file."""

MAX_LANES = 60
"""Lanes are for the people who are visible longest."""

MAX_SEGMENTS = 1000
"""In the list of segments."""

PORTRAIT = re.compile(r'src="data:image/jpeg;base64,([^"]+)">\s*<b>Person (\d+)</b>')
"""How ``_timeline`` writes a person's face."""

LANE_WIDTH, LANE_HEIGHT = 10_000, 100

LAST_TICK_FROM = 0.97
"""Of the axis: a time further right ends where it would be centred, so that it is not cut off."""


def write_report(
    result: VideoResult, summary: Summary, thumbnails: Mapping[int, bytes], folder: Path
) -> None:
    """Write ``report.html`` into a video's folder.

    Args:
        thumbnails: JPEG pictures by person id; some people may have none.

    Raises:
        OutputError: it cannot be written.
    """
    people = sorted(result.people, key=lambda person: -person.face_s)[:MAX_LANES]
    people.sort(key=lambda person: person.track)
    of_person = segments_by_person(result.segments)
    film = result.film.name if result.film.parent == folder else None
    length_s = float(result.timeline.until_s[-1])
    sections = [_film(film), _timeline(result, people, of_person, thumbnails, length_s)]
    if people:
        sections += [_people(result.people), _segments(result)]
    sections.append(_provenance(result, summary))
    data = {
        "length_s": length_s,
        "film_starts_s": result.film_starts_s,
        "frame_s": 1 / max(float(summary.video.get("rate") or 25), 1),
        "labels": LABELS,
        "people": [
            {"track": person.track, "segments": _compact(of_person[person.track])}
            for person in people
        ],
    }
    page = Template(asset("report.html")).substitute(
        title=escape(result.source.name),
        style=style(),
        status=summary.status,
        facts=escape(_facts(summary, length_s)),
        notice=_notice(summary),
        layout="with-film" if film else "",
        main="".join(sections),
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        script=asset("clock.js") + asset("report.js"),
    )
    write_atomically(folder / REPORT, page)


def shares_bar(shares: Mapping[str, float]) -> str:
    """A bar in the colours of the expressions, as HTML; its label says it in words."""
    parts = "".join(
        f'<i class="{name}" style="flex:{share:.4f}"></i>'
        for name, share in shares.items()
        if share > 0
    )
    return f'<div class="shares" role="img" aria-label="{escape(in_words(shares))}">{parts}</div>'


def portraits_in(report: Path) -> dict[int, bytes]:
    """The faces in a report, as JPEG by person id: the video is not read again for them."""
    return {
        int(person): base64.b64decode(jpeg)
        for jpeg, person in PORTRAIT.findall(report.read_text(encoding="utf-8"))
    }


def in_words(shares: Mapping[str, float], largest: int = 3) -> str:
    """The largest shares: ``happy 62%, neutral 30%``."""
    ranked = sorted(shares.items(), key=lambda item: -item[1])[:largest]
    return ", ".join(f"{name} {share:.0%}" for name, share in ranked if share >= 0.005)


def legend() -> str:
    """The legend of the colours, as HTML."""
    entries = "".join(f'<li class="{name}">{name}</li>' for name in COLOURS_RGB)
    return f'<ul class="legend" aria-label="Colours of the expressions">{entries}</ul>'


def style() -> str:
    """The style sheet of reports and the index, with the colours of the expressions."""
    return asset("report.css") + _colours()


def asset(name: str) -> str:
    """A file of ``web``, as text."""
    return (resources.files("pipeline.results") / "web" / name).read_text(encoding="utf-8")


def _colours() -> str:
    return "".join(
        f".{name} {{ --colour: rgb({red} {green} {blue}); fill: var(--colour); }}\n"
        for name, (red, green, blue) in COLOURS_RGB.items()
    )


def _facts(summary: Summary, length_s: float) -> str:
    people = len(summary.people)
    facts = [
        clock(length_s, length_s),
        f"{summary.frames} frames",
        "1 person" if people == 1 else f"{people} people",
    ]
    if summary.dropped:
        facts.append(f"{summary.dropped} frames dropped")
    return ", ".join(facts)


def _notice(summary: Summary) -> str:
    notices = [*([summary.reason] if summary.reason else []), *summary.warnings]
    return "".join(f'<p class="notice">{escape(notice)}</p>' for notice in notices)


def _film(name: str | None) -> str:
    if name is None:
        return ""
    return (
        f'<section class="film"><video controls playsinline preload="metadata" '
        f'src="{escape(name)}"></video><p class="keys"><kbd>space</kbd> play '
        "<kbd>&larr;</kbd> <kbd>&rarr;</kbd> one second, with <kbd>shift</kbd> ten "
        "<kbd>,</kbd> <kbd>.</kbd> one frame</p></section>"
    )


def _timeline(
    result: VideoResult,
    people: list[Person],
    of_person: Mapping[int, list[Segment]],
    thumbnails: Mapping[int, bytes],
    length_s: float,
) -> str:
    if not people:
        return "<section><h2>Timeline</h2><p>No face was found in this video.</p></section>"
    left_out = len(result.people) - len(people)
    note = f"<p>{left_out} people who are visible for a shorter time are not shown.</p>"
    lanes = "".join(
        f'<div class="lane"><div class="who">{_face(thumbnails.get(person.track))}'
        f'<b>Person {person.track}</b><span class="now"></span></div>'
        f"{_lane(result.timeline, of_person[person.track], person.track, length_s)}</div>"
        for person in people
    )
    times = "".join(_tick(at_s, length_s) for at_s in ticks(length_s))
    return (
        '<section class="timeline"><div class="bar-of-timeline"><h2>Timeline</h2>'
        f"{legend()}"
        '<div class="zoom"><button class="wider" aria-label="Zoom out">&minus;</button>'
        '<button class="closer" aria-label="Zoom in">+</button></div></div>'
        '<div class="scroll"><div class="lanes" role="slider" tabindex="0" aria-label="Position" '
        f'aria-valuemin="0" aria-valuemax="{length_s:.2f}" aria-valuenow="0">{lanes}'
        f'<div class="axis">{times}</div><div class="playhead"></div></div></div>'
        f"{note if left_out else ''}</section>"
    )


def _tick(at_s: float, length_s: float) -> str:
    share = at_s / max(length_s, 1e-9)
    kind = ' class="last"' if share > LAST_TICK_FROM else ""
    return f'<span{kind} style="left:{100 * share:.2f}%">{clock(at_s, length_s)}</span>'


def _face(jpeg: bytes | None) -> str:
    if jpeg is None:
        return '<span class="nobody"></span>'
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'


def _lane(timeline: Timeline, segments: list[Segment], track: int, length_s: float) -> str:
    paths = []
    for outline in outlines_of(timeline, segments, MAX_STEPS):
        x = np.rint(outline.edges_s / max(length_s, 1e-9) * LANE_WIDTH).astype(int).tolist()
        y = np.rint((1 - outline.heights) * LANE_HEIGHT).astype(int).tolist()
        steps = "".join(f"V{height}H{end}" for height, end in zip(y, x[1:], strict=True))
        shown = outline.segment
        label = f"{shown.emotion} {shown.confidence:.0%}, {_span(shown.start_s, shown.end_s)}"
        paths.append(
            f'<path class="{shown.emotion}" d="M{x[0]} {LANE_HEIGHT}{steps}V{LANE_HEIGHT}Z">'
            f"<title>{label}</title></path>"
        )
    return (
        f'<svg viewBox="0 0 {LANE_WIDTH} {LANE_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="Expressions of person {track}">{"".join(paths)}</svg>'
    )


def _span(start_s: float, end_s: float) -> str:
    return f"{clock(start_s, 1)} to {clock(end_s, 1)}"


def _compact(segments: list[Segment]) -> list[list[float]]:
    return [
        [
            round(segment.start_s, 6),
            round(segment.end_s, 6),
            LABELS.index(segment.emotion),
            round(segment.confidence, 3),
        ]
        for segment in segments
    ]


def _people(people: list[Person]) -> str:
    rows = "".join(
        f"<tr><th>Person {person.track}</th>"
        f'<td class="number">{clock(person.face_s, person.face_s)}</td>'
        f'<td class="number">{_percent(person.usable_share)}</td>'
        f'<td class="number">{_percent(person.confidence)}</td>'
        f'<td>{shares_bar(person.shares)}<span class="in-words">{in_words(person.shares)}'
        "</span></td></tr>"
        for person in people
    )
    return (
        '<section class="wide"><h2>People</h2><div class="scroll"><table><thead><tr><th></th>'
        '<th class="number">on screen</th><th class="number">usable</th>'
        '<th class="number">confidence</th>'
        f"<th>share of usable time</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _segments(result: VideoResult) -> str:
    listed = result.segments[:MAX_SEGMENTS]
    rows = "".join(
        f"<tr><td>Person {segment.track}</td><td>{segment.emotion}</td>"
        f'<td><button data-at="{segment.start_s:.6f}">{clock(segment.start_s, 1)}</button></td>'
        f'<td class="number">{segment.duration_s:.1f} s</td>'
        f'<td class="number">{segment.confidence:.0%}</td></tr>'
        for segment in listed
    )
    more = len(result.segments) - len(listed)
    note = f"<p>{more} more are in segments.csv.</p>" if more else ""
    return (
        f'<details class="wide"><summary>Segments ({len(result.segments)})</summary>'
        '<div class="scroll"><table><thead><tr><th>who</th><th>expression</th><th>from</th>'
        '<th class="number">for</th><th class="number">confidence</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{note}</details>"
    )


def _provenance(result: VideoResult, summary: Summary) -> str:
    record: dict[str, Any] = {
        "source": summary.source,
        "input_sha256": summary.input_sha256,
        "analysed": summary.ended_at,
        **result.provenance,
    }
    text = escape(json.dumps(record, indent=2, ensure_ascii=False))
    return f'<details class="wide"><summary>How this was made</summary><pre>{text}</pre></details>'
