"""Run the web server of the page in a thread, and again if it dies."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic, sleep

import uvicorn

from configs.errors import EmotionTimelinesError, explain

START_TIMEOUT_S = 10
FIRST_RESTART_WAIT_S, MAX_RESTART_WAIT_S = 0.5, 60.0


class PageServer:
    """A context manager; the server runs within the block.

    Args:
        config: with the application to serve.
        listener: bound to its address.
        say: called with a line of text when the server died.

    Raises:
        EmotionTimelinesError: on entering, when the server does not start in time.
    """

    def __init__(
        self, config: uvicorn.Config, listener: socket.socket, say: Callable[[str], None]
    ) -> None:
        self._config, self._listener, self._say = config, listener, say
        self._closing = Event()
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._run, name="page", daemon=True)

    def __enter__(self) -> PageServer:
        self._thread.start()
        deadline_s = monotonic() + START_TIMEOUT_S
        while not self._server.started:
            if monotonic() > deadline_s:
                self.__exit__()
                raise EmotionTimelinesError(f"the page is not served after {START_TIMEOUT_S} s")
            sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT_S)

    def _run(self) -> None:
        wait_s = FIRST_RESTART_WAIT_S
        while not self._closing.is_set():
            try:
                # A copy, as the server closes what it listens to when it ends.
                self._server.run([self._listener.dup()])
                reason = "its server ended by itself"
            except BaseException as error:  # However it dies, it is told.
                reason = explain(error)
            if self._closing.is_set():
                return
            self._say(f"the page is not served: {reason}; it is started again")
            self._closing.wait(wait_s)
            wait_s = min(wait_s * 2, MAX_RESTART_WAIT_S)
            self._server = uvicorn.Server(self._config)
            self._server.should_exit = self._closing.is_set()
