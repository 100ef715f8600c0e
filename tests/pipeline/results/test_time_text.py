"""Times for people to read: one rule, in Python and in the pages' JavaScript."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Browser

from pipeline.results.pages import asset
from pipeline.results.time_text import clock, seconds_of, ticks

LENGTHS_S = (0.0, 0.04, 0.7, 2.4, 9.99, 10, 12, 13, 59.6, 60, 100, 3599.7, 3600, 90_000, 3e6)


@pytest.mark.parametrize(
    ("at_s", "end_s", "text"),
    [
        (59.6, 100, "1:00"),
        (59.4, 100, "0:59"),
        (0.5, 100, "0:01"),
        (2.5, 100, "0:03"),  # Not to the nearest even second, as Python rounds.
        (3599.5, 4000, "1:00:00"),
        (3723, 4000, "1:02:03"),
        (2.5, 4, "0:02.5"),
        (0.25, 4, "0:00.3"),
        (9.96, 9.99, "0:10.0"),
        (59.97, 1, "1:00.0"),
        (-0.3, 100, "0:00"),
        (100_000, 100_000, "27:46:40"),
    ],
)
def test_times_are_written_as_a_clock_shows_them(at_s: float, end_s: float, text: str) -> None:
    assert clock(at_s, end_s) == text


@pytest.mark.parametrize(
    ("text", "time_s"),
    [("90", 90), ("0.25", 0.25), ("1:30", 90), (" 01:02:03.5 ", 3723.5), ("100:00:00", 360_000)],
)
def test_times_that_people_write_are_read(text: str, time_s: float) -> None:
    assert seconds_of(text) == time_s


@pytest.mark.parametrize("text", ["", "x", "-1", "1:90", "1:2:3:4", "90:00:61", "nan", "1e3", "1:"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        seconds_of(text)


def test_pages_write_the_same_times(browser: Browser) -> None:
    halves_s = np.concatenate([np.arange(0, 70, 0.05), np.arange(3590, 3610, 0.05)])
    times_s = [*halves_s.tolist(), *np.random.default_rng(5).uniform(0, 1e5, 200).tolist()]
    page = browser.new_page()
    page.add_script_tag(content=asset("clock.js"))
    for end_s in (1, 5000):
        written = page.evaluate(
            "([times, end]) => times.map((at_s) => clock(at_s, end))", [times_s, end_s]
        )
        assert written == [clock(at_s, end_s) for at_s in times_s]
    page.close()


def test_an_axis_may_begin_late() -> None:
    assert ticks(3662.0, 3600.5) == [3610, 3620, 3630, 3640, 3650, 3660]


def test_ticks_of_a_page_are_round_wherever_it_looks(browser: Browser) -> None:
    page = browser.new_page()
    page.add_script_tag(content=asset("clock.js"))
    for from_s, until_s, most, texts in (
        (0, 100, 6, ["0:00", "0:30", "1:00", "1:30"]),
        (61.3, 64.2, 6, ["1:01.5", "1:02.0", "1:02.5", "1:03.0", "1:03.5", "1:04.0"]),
        (3590, 3650, 3, ["1:00:00", "1:00:30"]),
        (0, 0.04, 8, ["0:00.0"]),
        (0, 1e6, 8, ["0:00", "240:00:00"]),
    ):
        ticks_of_page = page.evaluate("arguments => ticks(...arguments)", [from_s, until_s, most])
        assert [text for _, text in ticks_of_page] == texts
    page.close()


@pytest.mark.parametrize("end_s", LENGTHS_S)
def test_an_axis_has_times_that_are_written_exactly(end_s: float) -> None:
    times_s = ticks(end_s)
    assert times_s[0] == 0
    assert times_s[-1] <= end_s
    assert len(times_s) <= 9
    assert len(times_s) >= 4 or end_s < 0.3
    for at_s in times_s:
        *hours_and_minutes, seconds = clock(at_s, end_s).split(":")
        read_s = float(seconds)
        for number, part in enumerate(reversed(hours_and_minutes), 1):
            read_s += 60**number * int(part)
        assert read_s == pytest.approx(at_s, abs=1e-9)
