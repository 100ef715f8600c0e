"""Packets from PyAV."""

from __future__ import annotations

from collections.abc import Iterator

from stages.packets import of_known_streams


def test_a_stream_that_appears_on_the_way_does_not_end_in_an_error() -> None:
    """PyAV reads beyond its list of streams then; whether it fails depends on what lies there."""

    def demux() -> Iterator[int]:
        yield from (1, 2)
        raise IndexError("list index out of range")

    assert list(of_known_streams(demux())) == [1, 2]
