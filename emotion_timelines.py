"""Turn video into timelines of facial expressions.

``analyse`` analyses videos, ``load`` joins the tables of all results, and ``load_settings`` reads
settings from a file or preset. What they raise is an ``EmotionTimelinesError``; ``configs.errors``
shows the tree of them. ``python -m emotion_timelines`` is the command line.

Example:
    from emotion_timelines import analyse, load
    result = analyse("interview.mp4", out="timelines", executor="local")
    segments = load("timelines", "segments")
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

for _name in ("configs", "models", "pipeline", "stages"):
    _found = find_spec(_name)
    _origin = _found.origin if _found else None
    if _origin is None or Path(_origin).parent != Path(__file__).with_name(_name):
        raise ImportError(
            f"emotion_timelines needs its own package {_name}, but Python finds "
            f"{_origin or 'none'}: rename that, or start Python in another folder"
        )

from configs import errors  # noqa: E402
from configs.errors import *  # noqa: E402, F403

if TYPE_CHECKING:
    from pipeline.api import Result, analyse, load, load_settings

__all__ = ["Result", "analyse", "load", "load_settings"]
__all__ += errors.__all__


def __getattr__(name: str) -> object:
    """What is slow to import, when it is first used: all of our processes import this module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(errors if name in errors.__all__ else import_module("pipeline.api"), name)


if __name__ == "__main__":
    from pipeline.cli import main

    main()
