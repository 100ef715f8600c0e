"""The socket of the page of live streams, and the address at which viewers open it."""

from __future__ import annotations

import socket
from contextlib import suppress
from urllib.parse import quote

import psutil

from configs.errors import UsageError
from configs.schema import PageSettings

EVERYWHERE = {"": "0.0.0.0", "0.0.0.0": "0.0.0.0", "::": "::"}
"""Hosts by which a page is served at all addresses of this machine."""

DISTANT = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses that are nobody's, for documentation."""


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
            return probe.getsockname()[0]
    for interface in psutil.net_if_addrs().values():
        for own in interface:
            if own.family in families and not own.address.startswith(("127.", "::1", "fe80:")):
                return own.address
    return "127.0.0.1"
