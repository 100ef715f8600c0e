"""Every error that a user can meet:

EmotionTimelinesError
  - UsageError: the command or call cannot be carried out as given
      - ConfigError
      - UserTableError
      - DatasetError
      - ModelError
      - MissingPackageError
  - SourceError: one source cannot be analysed; the others can
      - OutputError
          - EncodingError
          - LostOutputError
      - StalledError
      - StopRequestedError
  - ThreadDiedError
  - RayLostError

A message names the file or the setting, what is wrong and the remedy. The command line prints it
as one line, and exits with 2 for a UsageError, with 1 for the others; nothing else ever reaches
the user.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from configs.names import as_text

__all__ = [
    "ConfigError",
    "DatasetError",
    "EmotionTimelinesError",
    "EncodingError",
    "LostOutputError",
    "MissingPackageError",
    "ModelError",
    "OutputError",
    "RayLostError",
    "SourceError",
    "StalledError",
    "StopRequestedError",
    "ThreadDiedError",
    "UsageError",
    "UserTableError",
]

log = logging.getLogger(__name__)


class EmotionTimelinesError(Exception):
    """Root of the tree; catch it to catch them all."""


class UsageError(EmotionTimelinesError):
    """The command cannot be carried out as given."""


class ConfigError(UsageError):
    """A configuration file or a ``--set`` is wrong."""


class UserTableError(UsageError):
    """A table that a user gave is wrong.

    Attributes:
        problems: a message for each wrong line.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class DatasetError(UsageError):
    """A folder or CSV file of labelled faces cannot be used."""


class ModelError(UsageError):
    """A model file is missing or does not fit the pipeline."""


class MissingPackageError(UsageError):
    """The command needs a package that others do not need, and it is not installed."""


class SourceError(EmotionTimelinesError):
    """One source cannot be analysed; the others can."""


class OutputError(SourceError):
    """A result, or a file of the cache, cannot be written: no permission, no space."""


class EncodingError(OutputError):
    """The annotated video cannot be made of this source; everything else can."""


class LostOutputError(OutputError):
    """A file that is being written was deleted or replaced by somebody else."""


class StalledError(SourceError):
    """A source made no progress for longer than ``executor.stall_timeout_s``."""


class ThreadDiedError(EmotionTimelinesError):
    """A part of this program that runs beside the others ended by itself, or hangs."""


class RayLostError(EmotionTimelinesError):
    """Ray itself died; finished results are kept."""

    def __init__(self) -> None:
        super().__init__(
            "Ray itself died, perhaps for lack of memory; what was done is kept, and the same "
            "command goes on from there"
        )


class StopRequestedError(SourceError):
    """The user, or the system, asked to stop before a source was done."""

    def __init__(self) -> None:
        super().__init__("interrupted")


def explain(error: BaseException) -> str:
    """What to tell a user of an error: our own message; of another error, its class as well."""
    if isinstance(error, EmotionTimelinesError):
        return as_text(error)
    log.debug("unexpected error", exc_info=error)
    return as_text(f"internal error, please report it: {type(error).__name__}: {error}")


def first_line(error: BaseException) -> str:
    """What an error of a library says, in short."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
