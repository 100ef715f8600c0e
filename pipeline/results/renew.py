"""Make again what is made of a complete table: segments, exports and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from configs.errors import explain
from configs.load import with_changes
from configs.schema import Settings
from pipeline.result_folders import REPORT, TABLE
from pipeline.results.exports.elan_corrections import BY_HAND, segments_in
from pipeline.results.exports.writers import EXPORTS, write_exports
from pipeline.results.folder import FILM, results_in, save_summary
from pipeline.results.person import Names
from pipeline.results.report import portraits_in, write_report
from pipeline.results.summary import Provenance, Summary, public_settings
from pipeline.results.video_result import Recorded, VideoResult, read_result, strip_of
from pipeline.sources import Event

RENEWED_SECTIONS = ("segments", "export", "picture")
"""Settings that the table does not depend on."""


def renew(
    folder: Path,
    found: tuple[Summary, Provenance],
    settings: Settings,
    names: Names | None = None,
    events: Sequence[Event] = (),
) -> Summary:
    """Make segments, exports and the report of a finished video again; raises nothing.

    Segments that a user corrected stay.

    Args:
        found: what ``read_summary`` returns for the folder.
        names: of people, as a user gave them: figures in the summary are of tracks all the same.
        events: of a study.
    """
    summary, made_by = found
    settings = _with_exports_in(folder, settings)
    new = public_settings(settings)
    changed = {**made_by.settings, **{name: new[name] for name in RENEWED_SECTIONS}}
    made_by = replace(made_by, settings=changed)
    try:
        portraits = portraits_in(folder / REPORT)
        result = result_in(folder, (summary, made_by), settings, names)
        if not names:
            summary = _with_figures(summary, result)
        elif summary.by_hand or not found[1].shares("segments", made_by):
            recorded = result_in(folder, (summary, made_by), settings)
            summary = _with_figures(summary, recorded)
        summary = replace(summary, strip=strip_of(result))
        problems = write_exports(result, folder, settings)
        write_report(result, summary, portraits, folder, events)
    except Exception as error:  # As for an analysis: the other videos go on.
        problems = [explain(error)]
    if problems:
        reasons = [*([summary.reason] if summary.reason else []), *problems]
        summary = replace(summary, status="partial", reason="; ".join(reasons), interrupted=True)
    kept = tuple(path.name for path in results_in(folder))
    return save_summary(replace(summary, files=kept), folder, made_by)


def renew_report(
    folder: Path,
    found: tuple[Summary, Provenance],
    settings: Settings,
    names: Names,
    events: Sequence[Event],
) -> str | None:
    """Make the report of a finished video again, and nothing else; returns a problem, in words.

    Args:
        settings: those that its segments were made with.
    """
    try:
        portraits = portraits_in(folder / REPORT)
        write_report(result_in(folder, found, settings, names), found[0], portraits, folder, events)
    except Exception as error:  # As above.
        return explain(error)
    return None


def _with_figures(summary: Summary, result: VideoResult) -> Summary:
    people = tuple(asdict(person) for person in result.people)
    return replace(summary, people=people)


def result_in(
    folder: Path,
    found: tuple[Summary, Provenance],
    settings: Settings,
    names: Names | None = None,
) -> VideoResult:
    """The finished video in a folder.

    Raises:
        SourceError: its table, or the segments that a user corrected, cannot be read.
    """
    summary, made_by = found
    film, starts_s = folder / FILM, summary.video["start_s"]
    source = Path((summary.input or {}).get("path") or summary.source)
    corrected = (
        partial(segments_in, folder / BY_HAND, summary.by_hand["tiers"], starts_s)
        if summary.by_hand
        else None
    )
    recorded = Recorded(
        source=Path(summary.source),
        film=film if film.exists() else source,
        film_starts_s=starts_s,
        provenance=made_by,
        gaps_s=summary.gaps_s,
    )
    return read_result(folder / TABLE, recorded, settings, names, corrected)


def _with_exports_in(folder: Path, settings: Settings) -> Settings:
    """The settings with the exports that are there already: they must agree with the segments."""
    there = [name.removeprefix("timeline.") for name in EXPORTS if (folder / name).exists()]
    formats = list(dict.fromkeys([*settings.export.formats, *there]))
    return with_changes(settings, {"export": {"formats": formats}}, "export.formats")
