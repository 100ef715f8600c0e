"""What Ray offers no argument and no variable for: names of its own that are changed as it starts.

Each says why it is needed. A release of Ray that lacks one of them starts all the same, without
what it was changed for; ``tests/pipeline/test_privacy.py`` and the tests of Ray's start then tell.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

NODE = "ray._private.node", "Node"
CONSTANTS, UTILS = ("ray._private.ray_constants",), ("ray._private.utils",)


@contextmanager
def command_line_unnoticed() -> Iterator[None]:
    """Ray keeps the command line, which may hold passwords, or bytes that it cannot encode."""
    with _changed(UTILS, "get_entrypoint_name", lambda: "emotion-timelines"):
        yield


@contextmanager
def needless_parts_left_out(verbose: bool) -> Iterator[None]:
    """Start nothing that listens beyond this machine, or asks somebody on the network.

    - The constant is read from a variable of the environment as Ray is imported, which may have
      been long ago. Without it Ray listens to the network.
    - The dashboard's server starts also without a dashboard, and looks up cloud providers even with
      usage statistics switched off.
    - The monitor of the autoscaler is of use to clusters alone, and that of logs to show them.
    """
    with ExitStack() as stack:
        stack.enter_context(_changed(CONSTANTS, "ENABLE_RAY_CLUSTER", False))
        for name in ("start_api_server", "start_monitor", *(() if verbose else LOGS)):
            stack.enter_context(_changed(NODE, name, lambda *_, **__: None))
        yield


LOGS = ("start_log_monitor",)


@contextmanager
def _changed(owner: tuple[str, ...], name: str, value: Any) -> Iterator[None]:
    """Change a name of a module, or of a class in it, if it is there."""
    try:
        found: Any = import_module(owner[0])
        for part in owner[1:]:
            found = getattr(found, part)
        before = getattr(found, name)
    except (ImportError, AttributeError) as error:
        logging.getLogger(__name__).debug("this release of Ray is another", exc_info=error)
        yield
        return
    setattr(found, name, value)
    try:
        yield
    finally:
        setattr(found, name, before)
