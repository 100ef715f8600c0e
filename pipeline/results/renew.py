"""Make again what is made of a complete table: segments, exports and the report."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from configs.errors import explain
from configs.load import with_changes
from configs.schema import Settings
from pipeline.places import TABLE
from pipeline.results.export import EXPORTS, write_exports
from pipeline.results.folder import FILM, results_in, save_summary
from pipeline.results.report import REPORT, portraits_in, write_report
from pipeline.results.summary import Provenance, Summary, public_settings
from pipeline.results.video_result import read_result
from pipeline.sources import Job

RENEWED_SECTIONS = ("segments", "export")
"""Settings that the table does not depend on."""


def renew(job: Job, found: tuple[Summary, Provenance], settings: Settings) -> Summary:
    """Make segments, exports and the report of a finished video again; raises nothing.

    Args:
        found: what ``read_summary`` returns for its folder.
    """
    summary, made_by = found
    settings = _with_exports_in(job.folder, settings)
    new = public_settings(settings)
    changed = {**made_by.settings, **{name: new[name] for name in RENEWED_SECTIONS}}
    made_by = replace(made_by, settings=changed)
    folder, film = job.folder, job.folder / FILM
    try:
        portraits = portraits_in(folder / REPORT)
        result = read_result(
            folder / TABLE,
            Path(summary.source),
            film if film.exists() else job.source,
            summary.video["start_s"],
            settings,
            asdict(made_by),
        )
        problems = write_exports(result, folder, settings)
        summary = replace(summary, people=tuple(asdict(person) for person in result.people))
        write_report(result, summary, portraits, folder)
    except Exception as error:  # As for an analysis: the other videos go on.
        problems = [explain(error)]
    if problems:
        reasons = [*([summary.reason] if summary.reason else []), *problems]
        summary = replace(summary, status="partial", reason="; ".join(reasons), interrupted=True)
    kept = tuple(path.name for path in results_in(folder))
    return save_summary(replace(summary, files=kept), job, made_by)


def _with_exports_in(folder: Path, settings: Settings) -> Settings:
    """The settings with the exports that are there already: they must agree with the segments."""
    there = [name.removeprefix("timeline.") for name in EXPORTS if (folder / name).exists()]
    formats = list(dict.fromkeys([*settings.export.formats, *there]))
    return with_changes(settings, {"export": {"formats": formats}}, "export.formats")
