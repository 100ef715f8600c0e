"""Use Ray as the guest of a program: one analysis at a time, its handlers and paths respected."""

from __future__ import annotations

import os
import signal
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, current_thread, main_thread

import ray

from configs.errors import UsageError

OUR_CODE = Path(__file__).parents[2]

_turn = Lock()


@contextmanager
def turn_with_ray() -> Iterator[None]:
    """Wait until no other thread uses Ray, of which a process can have but one.

    Raises:
        UsageError: the program uses Ray itself.
    """
    with _turn:
        if ray.is_initialized():
            raise UsageError(
                "Ray already runs in this program for something else; call ray.shutdown() first, "
                "or choose the executor local"
            )
        yield


@contextmanager
def sigterm_handler_kept() -> Iterator[None]:
    """Undo that Ray, when it starts in the main thread, replaces the handler of SIGTERM.

    Its own would exit at once and leave files half-written.
    """
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if current_thread() is main_thread() and handler is not None:
            signal.signal(signal.SIGTERM, handler)


@contextmanager
def packages_found_by_workers() -> Iterator[None]:
    """Let workers of a Ray that starts find our packages, if only this program's path has them."""
    if Path(sysconfig.get_path("purelib")) == OUR_CODE:
        yield
        return
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(OUR_CODE), before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
