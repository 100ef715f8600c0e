"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.results.export import EXPORTS

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")]
ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="YAML file, summary.json, or crowd, fast."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change one setting, e.g. detect.width_px=960."
    ),
]
ExecutorOption = Annotated[
    str | None, typer.Option("--executor", metavar="ray|local", help="Ray actors, or one process.")
]
AddressOption = Annotated[
    str | None, typer.Option("--address", metavar="ADDR", help="Ray cluster to join.")
]
NetworkOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--network", metavar="FILE", help="A further network, with its card; may be repeated."
    ),
]
Export = Annotated[
    list[str] | None,
    typer.Option(
        "--export", metavar="FORMAT,...", help="Also write: parquet, eaf, vtt, png, svg; or all."
    ),
]
NoVideo = Annotated[bool, typer.Option("--no-video", help="Write no annotated.mp4.")]
Blur = Annotated[
    bool, typer.Option("--blur", help="Make faces unrecognisable in all that is written.")
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Also show the log of libraries.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, nothing else.")]


def formats_in(wanted: list[str] | None) -> list[str] | None:
    """The formats named in an option, which may be repeated and take several; None without it."""
    if wanted is None:
        return None
    names = [name.strip() for entry in wanted for name in entry.split(",")]
    return [kind.removeprefix("timeline.") for kind in EXPORTS] if "all" in names else names
