"""The command line, put together of its commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from configs import VERSION
from configs.errors import EmotionTimelinesError, UsageError, UserTableError
from pipeline.commands.bench import bench
from pipeline.commands.evaluate import evaluate
from pipeline.commands.export import export
from pipeline.commands.run import demo, run
from pipeline.commands.train import train
from pipeline.terminal import (
    SOME_FAILED,
    WRONG_COMMAND,
    open_closed_streams,
    outputs,
    say_error,
)

app = typer.Typer(
    help="Turn video into timelines of facial expressions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # It would take words in square brackets for markup.
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (run, export, demo, train, evaluate, bench):
    app.command()(command)


def _print_version(asked_for: bool) -> None:
    if asked_for:
        typer.echo(f"emotion-timelines {VERSION}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of the program itself."""


def main() -> None:
    """Run the command line; errors of ours are printed without a traceback."""
    open_closed_streams()
    try:
        app()
    except UsageError as error:
        for problem in error.problems if isinstance(error, UserTableError) else [error]:
            say_error(problem)
        sys.exit(WRONG_COMMAND)
    except EmotionTimelinesError as error:
        say_error(error)
        sys.exit(SOME_FAILED)
    finally:
        for output in outputs:
            output.close()
