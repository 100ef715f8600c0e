"""``export``: from finished results to the tables of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import SetOption, formats_in

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
    from pipeline.export_command import ExportOptions, export_study

    options = ExportOptions(
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
    raise typer.Exit(export_study(out, options))
