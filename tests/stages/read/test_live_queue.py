"""The frames that wait for the stages: bursts are kept, too many are not."""

from __future__ import annotations

import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from stages.batch import VideoInfo
from stages.read.live_queue import LiveQueue, Received

INFO = VideoInfo(2, 2, Fraction(1, 90_000), 0, 0.0, Fraction(50), 0, 0.0, "raw", 2, 2, 2)
STEP_S = 0.02


def frame(number: int, part: int = 0) -> Received:
    return Received(np.zeros((3, 2), np.uint8), number, time.time(), INFO, part)


def numbers(frames: list[Received]) -> list[int]:
    return [received.pts for received in frames]


def filled(queue: LiveQueue, frames: int, apart_s: float) -> threading.Thread:
    """A thread that puts frames, each as long after the one before, if the queue lets it."""

    def fill() -> None:
        for number in range(frames):
            time.sleep(apart_s)
            queue.put(frame(number), STEP_S)

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    return thread


def test_burst_is_handed_on_whole_and_faster_than_it_was_taken() -> None:
    queue = LiveQueue(8, 4)
    started_s, thread, taken = time.monotonic(), filled(queue, 60, 0.0), []
    while thread.is_alive():
        taken += numbers(queue.take(64, 0.1))
        time.sleep(STEP_S / 5)
    assert taken + numbers(queue.take(64, 0.1)) == list(range(60))
    assert queue.dropped == 0
    assert 60 * STEP_S / 1.5 - 0.2 < time.monotonic() - started_s < 60 * STEP_S


@pytest.mark.parametrize("apart_s", [STEP_S, 0.0])
@pytest.mark.parametrize("size", [8, 64])
def test_stages_that_are_too_slow_get_the_newest_frame_alone(apart_s: float, size: int) -> None:
    queue = LiveQueue(size, 4)
    thread, lags_s, counts = filled(queue, 120, apart_s), [], []
    while thread.is_alive():
        taken = queue.take(64, 0.1)
        lags_s.append(time.time() - taken[0].arrived_s)
        counts.append(len(taken))
        time.sleep(0.2 * len(taken))
    # Now and then a busy machine sends so few that all are taken, or halts a thread for a while.
    assert np.median(lags_s) < 2 * STEP_S
    assert np.quantile(lags_s, 0.9) < 0.5
    assert np.median(counts) == 1
    assert queue.dropped == pytest.approx(120 - sum(counts), abs=10)


def test_slow_stages_do_not_make_a_stream_late() -> None:
    """As a busy machine, which takes some time for itself after each frame."""
    queue = LiveQueue(8, 4)
    started_s, thread = time.monotonic(), filled(queue, 100, STEP_S / 4)
    while thread.is_alive():
        queue.take(1, 0.1)
        time.sleep(0.2)
    assert time.monotonic() - started_s < 100 * STEP_S + 0.3


def test_pause_of_the_stages_costs_no_frame() -> None:
    queue = LiveQueue(16, 4)
    thread, taken = filled(queue, 60, STEP_S), numbers(queue.take(64, 1))
    time.sleep(0.25)
    while thread.is_alive():
        taken += numbers(queue.take(64, 0.1))
        time.sleep(STEP_S / 5)
    taken += numbers(queue.take(64, 0.1))
    assert (taken, queue.dropped) == (list(range(60)), 0)


def test_stages_may_take_their_time_to_begin() -> None:
    queue = LiveQueue(8, 4)
    thread, taken = filled(queue, 60, 0.0), numbers(queue.take(64, 1))
    time.sleep(0.6)
    while thread.is_alive():
        taken += numbers(queue.take(64, 0.1))
        time.sleep(STEP_S / 5)
    assert (taken + numbers(queue.take(64, 0.1)), queue.dropped) == (list(range(60)), 0)


def test_parts_are_not_mixed_and_closing_keeps_what_waits() -> None:
    queue = LiveQueue(8, 4)
    for number, part in enumerate((0, 0, 1)):
        queue.put(frame(number, part), 0.0)
    queue.close()
    queue.put(frame(3), 0.0)
    assert [numbers(queue.take(64, 0.0)) for _ in range(3)] == [[0, 1], [2], []]
