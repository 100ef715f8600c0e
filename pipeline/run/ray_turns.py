"""Use Ray within a program that is not ours: one analysis at a time, its signal handlers kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, current_thread, main_thread

import ray

from configs.errors import UsageError

_turn = Lock()


@contextmanager
def turn_with_ray(taken: bool = False) -> Iterator[None]:
    """Wait until no other thread uses Ray, of which a process can have but one.

    Args:
        taken: Ray was started for this turn already.

    Raises:
        UsageError: the program uses Ray itself.
    """
    with _turn:
        if ray.is_initialized() and not taken:
            raise UsageError(
                "Ray already runs in this program for something else; call ray.shutdown() first, "
                "or choose the executor local"
            )
        yield


@contextmanager
def sigterm_handler_kept() -> Iterator[None]:
    """Undo that Ray, when it starts, replaces the handler of SIGTERM; for the main thread.

    Its own would exit at once and leave files half-written. Where Ray starts in another thread,
    Python does not know of the change, but setting its handler again undoes it all the same.
    """
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if current_thread() is main_thread() and handler is not None:
            signal.signal(signal.SIGTERM, handler)
