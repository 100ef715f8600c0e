"""Stop in good order on Ctrl-C, SIGTERM and a lost terminal; only the command line does."""

from __future__ import annotations

import signal
from threading import Event

STOPPING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""SIGHUP, which Windows does not know, comes when the terminal or its connection is lost."""


def stop_on_signals() -> Event:
    """An event that these signals set; a second one exits at once.

    A signal that is ignored, as the shell does for background jobs and ``nohup`` for SIGHUP, stays
    ignored.
    """
    stop = Event()

    def ask_to_stop(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, ask_to_stop)
    return stop
