"""Write ``report.html``, one self-contained file with a video's timeline beside its film."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.result_folders import INDEX, LEDGER, REPORT, SUMMARY
from pipeline.results.folder import results_in
from pipeline.results.pages import for_pages, render, script_of
from pipeline.results.person import Person, name_of, numbers_of
from pipeline.results.segments import COLOURS, LABELS, Segment, segments_by_person
from pipeline.results.summary import Summary
from pipeline.results.time_text import clock
from pipeline.results.timeline import Timeline
from pipeline.results.video_result import VideoResult
from pipeline.sources import Event
from stages.columns import PROBABILITY_STEPS, whole_percent
from stages.write.files import write_atomically

STYLES = ("lanes.css", "report.css")
SCRIPTS = (
    "clock.js",
    "stacks.js",
    "rows.js",
    "view.js",
    "lines.js",
    "lanes.js",
    "film.js",
    "report.js",
)

BRIEF_S = 1.0
"""People who are seen for less time than this share one lane, unless everybody is."""

PORTRAITS = "portraits"
"""Id of the element with everyone's face."""


def write_report(
    result: VideoResult,
    summary: Summary,
    portraits: Mapping[int, bytes],
    folder: Path,
    events: Sequence[Event] = (),
) -> None:
    """Write ``report.html`` into a video's folder.

    Args:
        portraits: JPEG pictures by track; some may have none.
        events: of a study.

    Raises:
        OutputError: it cannot be written.
    """
    brief = _brief(result.people)
    films = _films(result, summary, folder)
    files = [path.name for path in results_in(folder) if path.name not in (REPORT, SUMMARY)]
    page = render(
        "report.html",
        styles=STYLES,
        scripts=SCRIPTS,
        title=(summary.live or {}).get("name") or result.source.name,
        home=_index_above(folder),
        summary=summary,
        notices=_notices(summary),
        facts=_facts(summary, result),
        films=films,
        files=[*files, SUMMARY],  # Which is written last.
        begin_s=result.begins_s,
        end_s=result.ends_s,
        people=[person for person in result.people if person.track not in brief],
        brief=len(brief),
        name_of=lambda track: name_of(track, result.names),
        numbers_of=lambda track: numbers_of(track, result.names),
        changes_of=_changes,
        made=_provenance(result, summary),
        segments=len(result.segments),
        values={
            "data": {**_data(result, summary, brief, events), "films": films},
            PORTRAITS: {
                track: base64.b64encode(jpeg).decode() for track, jpeg in portraits.items()
            },
        },
        rows=_packed(result),
    )
    write_atomically(folder / REPORT, page)


def script_hash() -> str:
    """Of the script in every report of this version, as a content security policy names it."""
    digest = hashlib.sha256(script_of(SCRIPTS).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def portraits_in(report: Path) -> dict[int, bytes]:
    """The faces in a report, as JPEG by track: the video is not read again for them."""
    _, _, after = report.read_text(encoding="utf-8").partition(f'id="{PORTRAITS}">')
    faces = json.loads(after.partition("</script>")[0] or "{}")
    return {int(track): base64.b64decode(jpeg) for track, jpeg in faces.items()}


def _films(result: VideoResult, summary: Summary, folder: Path) -> list[dict[str, Any]]:
    """The film beside a report: one, or the pieces of a live stream, for ``web/film.js``."""
    if result.film.parent == folder:
        starts = {"from_s": result.begins_s, "offset_s": result.film_starts_s}
        return [{"src": result.film.name, **starts}]
    return [
        {"src": piece["name"], "from_s": piece["from_s"], "offset_s": -piece["from_s"]}
        for piece in (summary.live or {}).get("pieces", [])
        if (folder / piece["name"]).exists()
    ]


def _brief(people: Sequence[Person]) -> set[int]:
    """The tracks of those who share a lane."""
    brief = {person.track for person in people if person.face_s < BRIEF_S}
    return brief if 1 < len(brief) < len(people) else set()


def _data(
    result: VideoResult, summary: Summary, brief: set[int], events: Sequence[Event]
) -> dict[str, Any]:
    """What the page's scripts need, beside the rows."""
    of_person, step = segments_by_person(result.segments), row_step(result.timeline)
    return {
        "begin_s": result.begins_s,
        "end_s": result.ends_s,
        "frame_s": 1 / max(float(summary.video.get("rate") or 25), 1),
        "frames": len(np.unique(result.timeline.frame)),
        "row_step": step,
        "gaps": _gaps(result.timeline),
        "labels": LABELS,
        "colours": [COLOURS[label] for label in LABELS],
        "people": [
            {
                "track": person.track,
                "name": name_of(person.track, result.names),
                "rows": len(result.timeline.rows_of(person.track)[::step]),
                "brief": person.track in brief,
                "segments": _compact(of_person[person.track]),
            }
            for person in result.people
        ],
        "events": [list(event) for event in events],
        "outputs": for_pages(result.provenance.outputs),
    }


def _gaps(timeline: Timeline) -> list[list[float]]:
    """When a stream was lost: from when until when, in seconds."""
    starts, first_rows = np.unique(timeline.time_s, return_index=True)
    until = timeline.until_s[first_rows]
    lost = np.flatnonzero(starts[1:] - until[:-1] > 1e-6)
    return [[float(until[frame]), float(starts[frame + 1])] for frame in lost]


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


def _notices(summary: Summary) -> list[str]:
    notices = [*([summary.reason] if summary.reason else []), *summary.warnings]
    if summary.by_hand:
        notices.append(f"segments were corrected by hand, in {summary.by_hand['file']}")
    return notices


def _facts(summary: Summary, result: VideoResult) -> str:
    length_s = result.ends_s - result.begins_s
    people = len(result.people)
    facts = [
        clock(length_s, length_s),
        f"{summary.frames} frames",
        "1 person" if people == 1 else f"{people} people",
    ]
    if summary.dropped:
        facts.append(f"{summary.dropped} frames dropped")
    return ", ".join(facts)


def _changes(person: Person, most: int = 3) -> list[tuple[str, int]]:
    """The most frequent changes from one expression to another."""
    return sorted(person.transitions.items(), key=lambda change: (-change[1], change[0]))[:most]


def _index_above(folder: Path) -> str | None:
    """Address of the page over all results, from a video's folder; None if there is none."""
    for above, parent in enumerate(folder.absolute().parents, 1):
        if (parent / LEDGER).is_file() and (parent / INDEX).is_file():
            return "../" * above + INDEX
    return None


def _provenance(result: VideoResult, summary: Summary) -> str:
    record: dict[str, Any] = {
        "source": summary.source,
        "input_sha256": summary.input_sha256,
        "analysed": summary.ended_at,
        **asdict(result.provenance),
    }
    return json.dumps(record, indent=2, ensure_ascii=False)


MAX_ROWS = 4_000_000
"""Of longer timelines each second, third or n-th row of a person is packed: bounds the page."""

ROW_BYTES, OUTPUT_BYTES = 12, 2
"""Of a row, and of each output of a network in it: with these, fewer rows are packed."""

OUTPUT_STEPS = 10_000
"""An output is packed in so many steps from its least to its largest value; ``NO_NUMBER`` if it is
none."""
NO_NUMBER = -1

LOW = 8
"""Is added to the label of a row that is not to be relied on."""


def row_step(timeline: Timeline) -> int:
    """Each how many-th row of a person is packed."""
    row_bytes = ROW_BYTES + OUTPUT_BYTES * len(timeline.outputs)
    return max(1, -(-len(timeline) * row_bytes // (MAX_ROWS * ROW_BYTES)))


def _packed(result: VideoResult) -> str:
    """Times of all frames, then the rows of everyone, for ``web/rows.js``.

    All integers are little-endian, and stand for the difference from the one before. As Base64 of
    a zlib stream of: times of the n frames in microseconds, float64; of each person the k numbers
    of frames, int32; of each person each output of networks, k int16, in steps of ``OUTPUT_STEPS``;
    of each person the likeliest expressions, k uint8, to which ``LOW`` is added where the face is
    not usable or nothing is as likely as ``segments.min_confidence``, and the probabilities in
    percent, 7 times k uint8, as they are rounded in the film.
    """
    timeline = result.timeline
    min_confidence = float(result.provenance.settings["segments"]["min_confidence"])
    _, first_rows, frames = np.unique(timeline.frame, return_index=True, return_inverse=True)
    times_us = np.rint(timeline.time_s[first_rows] * 1e6)
    parts = [np.diff(times_us, prepend=0.0).astype("<f8")]
    step = row_step(timeline)
    rows_of = [timeline.rows_of(person.track)[::step] for person in result.people]
    parts += [np.diff(frames[rows], prepend=0).astype("<i4") for rows in rows_of]
    for rows in rows_of:
        for column in result.provenance.outputs:
            shares = (timeline.outputs[column.name][rows] - column.low) / (column.high - column.low)
            known = np.rint(np.clip(shares, 0, 1) * OUTPUT_STEPS)
            steps = np.where(np.isfinite(shares), known, NO_NUMBER).astype(np.int64)
            parts.append(np.diff(steps, prepend=0).astype("<i2"))
    for rows in rows_of:
        steps = np.rint(timeline.probabilities[rows] * PROBABILITY_STEPS).astype(np.int64)
        low = ~timeline.usable[rows] | (steps.max(axis=1) < min_confidence * PROBABILITY_STEPS)
        labels = steps.argmax(axis=1) + LOW * low
        columns = [labels, *whole_percent(steps).T]
        parts += [np.diff(column, prepend=0).astype(np.uint8) for column in columns]
    packed = zlib.compress(b"".join(part.tobytes() for part in parts), level=6)
    return base64.b64encode(packed).decode()
