"""What PyAV does at the end of packets, and pictures converted at the cost of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from stages.ffmpeg import of_known_streams, reformat

THREADS = Path("/proc/self/task")


def frames(count: int) -> list[av.VideoFrame]:
    noise = np.random.default_rng(0).integers(0, 256, (count, 96, 96, 3), np.uint8)
    return [av.VideoFrame.from_ndarray(picture, "rgb24") for picture in noise]


def test_pictures_are_what_each_would_be_by_itself() -> None:
    for frame in frames(3):
        for size in (96, 48):
            wanted = {"width": size, "height": size, "format": "yuv420p"}
            assert np.array_equal(
                reformat(frame, **wanted).to_ndarray(), frame.reformat(**wanted).to_ndarray()
            )


@pytest.mark.skipif(not THREADS.is_dir(), reason="needs Linux's list of threads")
def test_no_thread_is_left_for_each_picture() -> None:
    before = len(list(THREADS.iterdir()))
    kept = [(frame, reformat(frame, format="yuv420p")) for frame in frames(20)]
    assert len(list(THREADS.iterdir())) <= before + 1
    assert len(kept) == 20


def test_a_stream_that_appears_on_the_way_does_not_end_in_an_error() -> None:
    """PyAV reads beyond its list of streams then; whether it fails depends on what lies there."""

    def demux() -> Iterator[int]:
        yield from (1, 2)
        raise IndexError("list index out of range")

    assert list(of_known_streams(demux())) == [1, 2]
