"""Take packets from PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

Packet = TypeVar("Packet")


def of_known_streams(packets: Iterable[Packet]) -> Iterator[Packet]:
    """What ``demux`` yields, without its error at the end: where a stream first appeared on the
    way, PyAV tries to flush it, too, but does not know it."""
    try:
        yield from packets
    except IndexError:
        return
