"""What the command ``export`` does: make the tables of a study of results that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs import VERSION
from configs.errors import OutputError, UsageError
from configs.load import load_settings, with_changes
from configs.schema import Settings
from pipeline.places import INDEX, REPORT, STUDY
from pipeline.progress import shown_while_done
from pipeline.results.renew import renew, renew_report
from pipeline.results.summary import PROGRAM, command_line, read_summary
from pipeline.run.ledger import only_run_in, renew_index, waiting_in
from pipeline.study.annotations import FolderAnnotations
from pipeline.terminal import DONE, SOME_FAILED, err_console, say, say_error, say_note

if TYPE_CHECKING:
    from pipeline.study.annotations import Study
    from pipeline.study.study_tables import StudyTables
    from pipeline.study.videos import Video


@dataclass(frozen=True)
class ExportOptions:
    """Options of the command, as ``pipeline/commands/export.py`` explains them."""

    bins_s: float | None = None
    events: Path | None = None
    participants: Path | None = None
    names: Path | None = None
    names_template: Path | None = None
    main_person: bool = False
    baseline: str | None = None
    synchrony: bool = False
    eaf: Sequence[Path] = ()
    formats: Sequence[str] = ()
    assignments: Sequence[str] = ()


def export_study(out: Path, options: ExportOptions) -> int:
    """Make what is asked for, and print what was written; returns the exit status.

    Raises:
        UsageError: an option or a file is wrong; then nothing is written.
    """
    from pipeline.study.videos import PEOPLE, VIDEOS, videos_in, write_people

    if not out.is_dir():
        raise UsageError(f"{out}: no such folder; give the output folder of a run")
    with only_run_in(out):
        videos = list(videos_in(out))
        if not videos:
            raise UsageError(f"{out}: no results in it; give the output folder of a run")
        study, tables = _told(options, videos)
        videos, problems = _renewed(out, options, videos, study)
        problems += tables.read(
            [video for video in videos if video.has_table], partial(shown_while_done, err_console)
        )
        study = replace(study, baselines=tables.compared)
        try:
            written = tables.write(out)
            study.write(out, {"command": command_line(), "versions": {PROGRAM: VERSION}})
            problems += write_people(out, videos, study)
            _renew_index(out, videos)
        except OutputError as error:
            problems.append(str(error))
        else:
            say(f"wrote {', '.join([VIDEOS, PEOPLE, *written, STUDY])} in {out}")
    for warning in tables.warnings:
        say_note(warning)
    for problem in dict.fromkeys(problems):
        say_error(problem)
    return SOME_FAILED if problems else DONE


def _told(options: ExportOptions, videos: Sequence[Video]) -> tuple[Study, StudyTables]:
    """What the user told of people, participants and events; and the tables to make."""
    from pipeline.study.annotations import Study
    from pipeline.study.study_tables import StudyTables, own_columns
    from pipeline.study.user_files import read_events, read_names, read_participants, write_template
    from pipeline.study.videos import further_in

    if options.baseline and not options.events:
        raise UsageError("--baseline EVENT needs --events FILE, which says when that is")
    if options.synchrony and not options.bins_s:
        raise UsageError("--synchrony needs --bins SECONDS, the grid that it is on")
    if options.names_template:
        write_template(options.names_template, videos)
        say(f"wrote {options.names_template}")
    names = read_names(options.names, videos) if options.names else {}
    named = {name for tracks in names.values() for name in tracks.values() if name}
    further = further_in(videos)
    own = own_columns(further)
    participants = (
        read_participants(options.participants, videos, named, own)
        if options.participants
        else None
    )
    taken = own | set(participants.columns if participants else ())
    events = read_events(options.events, videos, taken, say_note) if options.events else None
    analysed = {video.name: video.summary.ended_at for video in videos}
    by_video = events.by_video if events else {}
    study = Study(names, analysed, participants, options.main_person, by_video)
    tables = StudyTables(
        study, options.bins_s, events, options.baseline, options.synchrony, further
    )
    return study, tables


def _renewed(
    out: Path, options: ExportOptions, videos: Sequence[Video], study: Study
) -> tuple[list[Video], list[str]]:
    """The videos, those renewed whose segments, names, files or events change; and problems."""
    from pipeline.study.annotations import read_study
    from pipeline.study.corrections import corrected
    from pipeline.study.videos import video_at

    changes = _segment_changes(options.assignments)
    with_changes(Settings(), {"export": {"formats": options.formats}}, "--formats")
    before = read_study(out)
    by_hand = {video.name: video for video in corrected(options.eaf, videos, study).values()}
    renewed = [by_hand.get(video.name, video) for video in videos]
    problems, todo, reports = [], [], []
    for place, video in enumerate(renewed):
        settings = with_changes(video.settings, {"segments": changes}, "export")
        names = study.names_of(video)
        missing = [
            kind for kind in options.formats if not (video.folder / f"timeline.{kind}").exists()
        ]
        other = settings.segments != video.settings.segments or names != before.names_of(video)
        if video.has_table and (missing or other or video.name in by_hand):
            formats = {"export": {"formats": missing}}
            todo.append((place, with_changes(settings, formats, "--formats"), names))
        elif study.events_of(video) != before.events_of(video) and _has_report(video):
            reports.append(video)
    for place, settings, names in shown_while_done(err_console, "renewing", todo):
        video = renewed[place]
        summary = renew(
            video.folder, (video.summary, video.made_by), settings, names, study.events_of(video)
        )
        found = read_summary(video.folder) or (summary, video.made_by)
        renewed[place] = video_at(out, video.folder, found)
        if summary.interrupted:
            problems.append(f"{video.name}: {summary.reason}")
    for video in shown_while_done(err_console, "reports", reports):
        problem = renew_report(
            video.folder, (video.summary, video.made_by), video.settings, study.names_of(video),
            study.events_of(video),
        )  # fmt: skip
        problems += [f"{video.name}: {problem}"] if problem else []
    return renewed, problems


def _renew_index(out: Path, videos: Sequence[Video]) -> None:
    """Write the page over all results again, where a run wrote it, for the names in it."""
    if (out / INDEX).exists():
        waiting = dict.fromkeys(waiting_in(out))
        renew_index(
            out,
            {**waiting, **{video.folder: video.summary for video in videos}},
            FolderAnnotations(out),
        )


def _has_report(video: Video) -> bool:
    return video.has_table and (video.folder / REPORT).exists()


def _segment_changes(assignments: Sequence[str]) -> dict[str, Any]:
    """Settings of segments that are changed; others would need an analysis."""
    changed = load_settings(assignments=assignments).segments
    keys = [assignment.partition("=")[0] for assignment in assignments]
    for key in keys:
        if not key.startswith("segments."):
            raise UsageError(
                f"--set {key}: export analyses nothing; it changes segments.... alone, "
                "the command run the rest"
            )
    return {key.partition(".")[2]: getattr(changed, key.partition(".")[2]) for key in keys}
