"""``export``: from finished results to the tables of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from configs import VERSION
from configs.errors import OutputError, UsageError, UserTableError
from configs.load import load_settings, with_changes
from configs.names import as_text
from configs.schema import Settings
from pipeline.commands.options import SetOption, formats_in
from pipeline.result_folders import INDEX, REPORT, STUDY, SUMMARY
from pipeline.terminal import DONE, SOME_FAILED, err_console, say, say_error, say_note

if TYPE_CHECKING:
    from pipeline.study.annotations import Study
    from pipeline.study.study_tables import StudyTables
    from pipeline.study.videos import Video

File = Path | None


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Output folder of earlier runs.")],
    bins_s: Annotated[
        float | None,
        typer.Option("--bins", metavar="SECONDS", min=0.01, help="bins.csv: figures at this rate."),
    ] = None,
    events: Annotated[
        File,
        typer.Option(
            metavar="FILE",
            help="events.csv: figures of each event. CSV: video, event, start_s, end_s, "
            "perhaps offset_s, and what you like.",
        ),
    ] = None,
    participants: Annotated[
        File,
        typer.Option(
            metavar="FILE",
            help="Join columns, and compare conditions. TSV: video, participant, condition, "
            "perhaps name, pair, and what you like.",
        ),
    ] = None,
    names: Annotated[
        File,
        typer.Option(
            metavar="FILE",
            help="Names of people. CSV: video, track, name; an empty name leaves a track out.",
        ),
    ] = None,
    names_template: Annotated[
        File, typer.Option(metavar="FILE", help="Write a file for --names, to fill in.")
    ] = None,
    main_person: Annotated[
        bool, typer.Option("--main-person", help="Of each video, only the person seen longest.")
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="EVENT",
            help="Compare people with their own face during this event, in which it is neutral.",
        ),
    ] = None,
    synchrony: Annotated[
        bool,
        typer.Option(
            "--synchrony",
            help="synchrony.csv: people of a video, and of videos of one pair, on --bins.",
        ),
    ] = False,
    eaf: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Take segments that were corrected in ELAN."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT,...", help="For each video: parquet, eaf, vtt, png, svg; or all."
        ),
    ] = None,
    assignments: SetOption = None,
) -> None:
    """Make tables of a study, and other segments and files, of results that are there."""
    options = _Options(
        bins_s=bins_s,
        events=events,
        participants=participants,
        names=names,
        names_template=names_template,
        main_person=main_person,
        baseline=baseline,
        synchrony=synchrony,
        eaf=tuple(eaf or ()),
        formats=tuple(formats_in(formats) or ()),
        assignments=tuple(assignments or ()),
    )
    raise typer.Exit(_export_study(out, options))


@dataclass(frozen=True)
class _Options:
    """Options of the command, which explains them."""

    bins_s: float | None
    events: Path | None
    participants: Path | None
    names: Path | None
    names_template: Path | None
    main_person: bool
    baseline: str | None
    synchrony: bool
    eaf: Sequence[Path]
    formats: Sequence[str]
    assignments: Sequence[str]


def _export_study(out: Path, options: _Options) -> int:
    """Make what is asked for, and print what was written; returns the exit status.

    Raises:
        UsageError: an option or a file is wrong; then nothing is written.
    """
    from pipeline.progress import shown_while_done
    from pipeline.results.summary import PROGRAM, command_line
    from pipeline.run.ledger import only_run_in
    from pipeline.study.annotations import remove_exported
    from pipeline.study.videos import PEOPLE, VIDEOS, videos_in, write_people

    if not out.is_dir():
        raise UsageError(f"{out}: no such folder; give the output folder of a run")
    if (out / SUMMARY).exists():
        raise UsageError(f"{out}: the results of one video; give the folder above: {out.parent}")
    with only_run_in(out):
        videos = list(videos_in(out))
        if not videos:
            raise UsageError(f"{out}: no results in it; give the output folder of a run")
        study, tables = _annotated(options, videos)
        videos, problems = _renewed(out, options, videos, study)
        problems += tables.read(
            [video for video in videos if video.has_table], partial(shown_while_done, err_console)
        )
        study = replace(study, baselines=tables.compared)
        try:
            written = tables.write(out)
            removed = remove_exported(out, but=written)
            study.write(out, {"command": command_line(), "versions": {PROGRAM: VERSION}})
            problems += write_people(out, videos, study)
            _renew_index(out, videos)
        except OutputError as error:
            problems.append(str(error))
        else:
            say(f"wrote {', '.join([VIDEOS, PEOPLE, *written, STUDY])} in {out}")
            if removed:
                say_note(
                    f"removed {', '.join(removed)} of an earlier export, which had other options; "
                    "to have them again, give all options in one command"
                )
    for warning in tables.warnings:
        say_note(warning)
    for problem in dict.fromkeys(problems):
        say_error(problem)
    return SOME_FAILED if problems else DONE


def _annotated(options: _Options, videos: Sequence[Video]) -> tuple[Study, StudyTables]:
    """The user's annotations, and the tables to make."""
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
    out: Path, options: _Options, videos: Sequence[Video], study: Study
) -> tuple[list[Video], list[str]]:
    """The videos, those renewed whose segments, names, files or events change; and problems."""
    from pipeline.progress import shown_while_done
    from pipeline.results.renew import renew, renew_report
    from pipeline.results.summary import read_summary
    from pipeline.study.annotations import read_study
    from pipeline.study.videos import video_at

    changes = _segment_changes(options.assignments)
    with_changes(Settings(), {"export": {"formats": options.formats}}, "--formats")
    before = read_study(out)
    by_hand = _corrected(options.eaf, videos, study)
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
    from pipeline.run.ledger import renew_index, waiting_in
    from pipeline.study.annotations import FolderAnnotations

    if (out / INDEX).exists():
        done = {video.folder: video.summary for video in videos}
        renew_index(out, dict.fromkeys(waiting_in(out)) | done, FolderAnnotations(out))


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


def _corrected(paths: Sequence[Path], videos: Sequence[Video], study: Study) -> dict[str, Video]:
    """The videos that files of ELAN are of, by name, their summaries noting the correction.

    Each file is copied into its video's folder, once all of them are right.

    Raises:
        UserTableError: a file cannot be read, is of no video, or has what is no expression.
        SourceError: the table of a video cannot be read, or a copy not be written.
    """
    from pipeline.results.exports.elan_corrections import (
        keep_corrected,
        linked_files,
        read_corrected,
        segments_in,
        tiers_of,
    )

    found: dict[str, Video] = {}
    files: dict[str, Path] = {}
    for path in paths:
        document = read_corrected(path)
        video = _video_of(path, [path.resolve(), *linked_files(document, path)], videos)
        if video.name in found:
            raise UserTableError([f"{path}: {video.name} has a file already; give one of them"])
        tiers = tiers_of(document, path, video.tracks, study.names_of(video))
        segments_in(path, tiers, video.summary.video["start_s"], video.timeline({}))
        note = {
            "file": as_text(path.name),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "tiers": tiers,
        }
        found[video.name] = replace(video, summary=replace(video.summary, by_hand=note))
        files[video.name] = path
    for name, path in files.items():
        keep_corrected(path, found[name].folder)
    return found


def _video_of(path: Path, files: Sequence[Path], videos: Sequence[Video]) -> Video:
    """The video in whose folder a file lies, or one of its media; or that one of these is."""
    folders = {video.folder.resolve(): video for video in videos if video.has_table}
    sources = {(video.summary.input or {}).get("path"): video for video in folders.values()}
    for file in files:
        video = folders.get(file.parent) or sources.get(as_text(file))
        if video is not None:
            return video
    raise UserTableError(
        [
            f"{path}: it names no video of this output folder; put it into the video's folder, "
            "beside summary.json"
        ]
    )
