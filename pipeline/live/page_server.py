"""The web server of the page: its socket, its address, and a new start if it dies."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from time import monotonic, sleep
from urllib.parse import quote

import psutil
import uvicorn

from configs.errors import EmotionTimelinesError, UsageError, explain
from configs.schema import PageSettings
from stages.read.live import backoff

START_TIMEOUT_S = 10
FIRST_RESTART_WAIT_S, MAX_RESTART_WAIT_S = 0.5, 60.0

EVERYWHERE = {"": "0.0.0.0", "0.0.0.0": "0.0.0.0", "::": "::"}
"""Hosts by which a page is served at all addresses of this machine."""

DISTANT = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses that are nobody's, for documentation."""


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
        waits_s = backoff(FIRST_RESTART_WAIT_S, MAX_RESTART_WAIT_S)
        while not self._closing.is_set():
            try:
                # A copy, as the server closes what it listens to when it ends.
                self._server.run([self._listener.dup()])
                reason = "its server ended by itself"
            except BaseException as error:  # However it dies, it is reported.
                reason = explain(error)
            if self._closing.is_set():
                return
            self._say(f"the page is not served: {reason}; it is started again")
            self._closing.wait(next(waits_s))
            self._server = uvicorn.Server(self._config)
            self._server.should_exit = self._closing.is_set()


def listen(settings: PageSettings) -> socket.socket:
    """A socket at the host and port of the settings.

    Raises:
        UsageError: they cannot be used.
    """
    host = EVERYWHERE.get(settings.host, settings.host)
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, settings.port))
    except (OSError, ValueError, TypeError) as error:  # The latter: of what is no name.
        listener.close()
        raise UsageError(
            f"page.host, page.port: {settings.host}:{settings.port}: the page cannot be served "
            f"there: {getattr(error, 'strerror', None) or error}"
        ) from error
    return listener


def address_for_viewers(host: str, port: int, token: str | None) -> str:
    """The address to print: one that others can open, if the page is served to others."""
    if host in EVERYWHERE:
        host = _own_address(*DISTANT) if host == "::" else _own_address(socket.AF_INET)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    return f"{address}?token={quote(token, safe='')}" if token else address


def _own_address(*families: socket.AddressFamily) -> str:
    """This machine's address in its network; without a network, that for itself."""
    for family in families:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((DISTANT[family], 9))  # Sends nothing, but finds the way out.
            return str(probe.getsockname()[0])
    for interface in psutil.net_if_addrs().values():
        for own in interface:
            if own.family in families and not own.address.startswith(("127.", "::1", "fe80:")):
                return str(own.address)
    return "127.0.0.1"
