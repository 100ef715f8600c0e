"""Stop in good order on Ctrl-C and SIGTERM; the command line alone handles signals."""

from __future__ import annotations

import signal
from threading import Event

STOPPING = (signal.SIGINT, signal.SIGTERM)


def stop_on_signals() -> Event:
    """An event that these signals set; a second one exits at once.

    A signal that is ignored, as the shell does for background jobs, stays ignored.
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
