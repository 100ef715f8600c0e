"""The times of live frames: by their timestamps, whenever they arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from stages.read.live_clock import LiveClock, Moment

STEP_S = 1 / 15
HALF_S = STEP_S / 2 - 1e-9


def moments(
    frames: Iterable[tuple[float | None, float]], clock: LiveClock | None = None
) -> list[Moment]:
    """Of frames with a timestamp and a time of arrival each."""
    clock = clock or LiveClock(STEP_S)
    return [clock.moment_of(stamp_s, now_s) for stamp_s, now_s in frames]


def steps(found: list[Moment]) -> np.ndarray:
    return np.diff([moment.time_s for moment in found])


def taken(count: int) -> np.ndarray:
    return np.arange(count) * STEP_S


def after_a_stall(at_s: float) -> float:
    """Frames of three seconds arrive at once."""
    return 6.0 + at_s * 1e-5 if 3 <= at_s < 6 else at_s


@pytest.mark.parametrize("arrival", [float, after_a_stall, lambda at_s: at_s // 4 * 4 + 4])
def test_frames_have_the_time_of_their_timestamps_whenever_they_arrive(
    arrival: Callable[[float], float],
) -> None:
    found = moments((9000 + at_s, arrival(at_s)) for at_s in taken(600).tolist())
    assert steps(found) == pytest.approx(STEP_S, rel=1e-3)
    assert [moment.hole_s for moment in found] == [0] * 600


@pytest.mark.parametrize("factor", [0.96, 1.04, 1.3])
def test_clock_that_runs_at_another_speed_is_followed(factor: float) -> None:
    found = moments((at_s * factor, at_s) for at_s in taken(15 * 600).tolist())
    assert steps(found) == pytest.approx(STEP_S * factor, rel=1e-3)


def test_real_drift_is_corrected_so_that_a_day_ends_when_it_ends() -> None:
    day_s = np.arange(0, 86_400, 1.0)
    found = moments((at_s * (1 + 1e-4), at_s) for at_s in day_s.tolist())
    assert found[-1].time_s == pytest.approx(day_s[-1], abs=0.1)
    assert steps(found) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("jump_s", [-3600, -5, 5, 3600])
def test_timestamps_that_jump_do_not_move_the_timeline(jump_s: float) -> None:
    found = moments((at_s + jump_s * (at_s > 4), at_s) for at_s in taken(200).tolist())
    assert steps(found) == pytest.approx(STEP_S, rel=1e-3)
    assert not any(moment.hole_s for moment in found)


def test_missing_frames_are_a_hole() -> None:
    at_s = [at_s for at_s in taken(200).tolist() if not 5 < at_s < 8]
    found = moments((each, each) for each in at_s)
    assert steps(found) == pytest.approx(np.diff(at_s), rel=1e-3)
    (hole,) = [moment for moment in found if moment.hole_s]
    assert (hole.hole_s, hole.step_s) == pytest.approx((3.0, STEP_S), abs=0.2)


def test_few_frames_a_minute_are_no_holes() -> None:
    assert not any(moment.hole_s for moment in moments((4.0 * n, 4.0 * n) for n in range(50)))


@pytest.mark.parametrize(
    "frames",
    [
        [(9.0, at_s) for at_s in taken(100)],  # Always the same.
        [(at_s - at_s % (2 * STEP_S), at_s) for at_s in taken(100)],  # Each of them twice.
        [(at_s - 0.5 * (at_s > 3), at_s) for at_s in taken(100)],  # Back by half a second.
        [(None, after_a_stall(at_s)) for at_s in taken(100).tolist()],  # None, and a stall.
        [(None, at_s // 0.1 * 0.1) for at_s in taken(100).tolist()],  # None, and by twos.
    ],
)
def test_frames_are_half_a_frame_apart_unless_the_stream_says_otherwise(
    frames: list[tuple[float | None, float]],
) -> None:
    found = moments(frames)
    assert steps(found).min() >= HALF_S


def paced(at_s: float) -> float:
    """Frames of three seconds arrive at once, and are taken in half as fast again."""
    return at_s if at_s < 3 else max(at_s, 6 + (at_s - 3) / 1.5)


def test_stall_of_a_stream_without_timestamps_does_not_change_its_rate() -> None:
    found = moments((None, paced(at_s)) for at_s in taken(300).tolist())
    assert [moment.step_s for moment in found] == pytest.approx([STEP_S] * 300, rel=0.1)
    assert found[-1].time_s == pytest.approx(taken(300)[-1], abs=0.1)


def test_camera_without_timestamps_may_become_slower() -> None:
    at_s = np.cumsum([STEP_S] * 150 + [2.0] * 400)
    found = moments((None, each) for each in at_s.tolist())
    assert found[-1].step_s == pytest.approx(2, rel=0.1)
    assert not any(moment.hole_s for moment in found[250:])


def test_stream_of_changing_rate_says_otherwise() -> None:
    stamps_s = np.cumsum(np.tile([0.008, 0.12], 100))
    assert steps(moments(zip(stamps_s, stamps_s, strict=True))) == pytest.approx(
        np.diff(stamps_s), rel=1e-3
    )


@pytest.mark.parametrize(
    ("stamp_s", "expected_s"),
    [
        (19.0, 10.0),  # The timestamps went on during the gap.
        (15.0, 6.0),  # So they did, and the frame comes late.
        (9.5, 10.0),  # They began anew.
        (4000.0, 10.0),
    ],
)
def test_gap_lasts_as_long_as_timestamps_or_this_machine_say(
    stamp_s: float, expected_s: float
) -> None:
    clock = LiveClock(1.0)
    moments(((9.0 + n, float(n)) for n in range(4)), clock)
    clock.reconnect()
    assert clock.moment_of(stamp_s, 10.0).time_s == pytest.approx(expected_s, abs=0.01)
    assert clock.moment_of(stamp_s + 1, 11.0).time_s == pytest.approx(expected_s + 1, abs=0.01)
