"""How stages are wired and run; the command line and the Python interface.

Imports point one way: ``cli``, ``commands`` and ``api``, ``bench``, ``live``,
``run``, ``study``, ``results``, ``sources`` and ``places``, then ``stages``, ``models`` and
``configs``. A test holds this.

Example:
    from pipeline import analyse, load
    result = analyse("interview.mp4", out="timelines", executor="local")
    segments = load("timelines", "segments")
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.api import Result, analyse, load

__all__ = ["Result", "analyse", "load"]

import configs  # noqa: F401  Before the libraries whose reports it switches off.

# Ray reads these when it is imported: no warning is shown about devices that actors without a
# claim on them do not see.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")


def __getattr__(name: str) -> Any:
    """The Python interface, imported when it is first used: every import passes through here."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipeline import api

    return getattr(api, name)
