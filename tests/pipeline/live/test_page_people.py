"""The last minute of people on the page: lanes, faces, stacks of probabilities and gaps."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from models.emotions import EMOTIONS
from tests.pipeline.live.pretended import LIVE, Streams, seen, seen_from
from tests.pipeline.live.viewers import opened, painted
from tests.streams import wait_until

COLOURS_AT = """(canvas, place) => {
    const { width, height } = canvas, x = Math.min(width - 1, Math.round(place * width));
    const { data } = canvas.getContext("2d").getImageData(x, 0, 1, height);
    const { fill } = lookOf(colours), counts = {};
    for (const pixel of new Uint32Array(data.buffer)) {
        const name = emotions[fill.indexOf(pixel)];
        if (name) counts[name] = (counts[name] ?? 0) + 1 / height;
    }
    return counts;
}"""
"""The share of each expression in a column of a canvas, at a place from 0 to 1."""


@pytest.fixture
def streams() -> Streams:
    return Streams()


def look_at(browser: Browser, address: str, width: int = 1000) -> tuple[Page, list[str]]:
    page, faults = opened(browser, address, width, 900)
    expect(page.locator("#legend li")).to_have_count(len(EMOTIONS))
    return page, faults


def colours_at(page: Page, place: float, number: int = 0) -> dict[str, float]:
    return page.locator(".lane canvas").nth(number).evaluate(COLOURS_AT, place)


def test_the_seven_probabilities_are_stacked_in_the_order_and_colours_of_the_report(
    browser: Browser, streams: Streams
) -> None:
    half = {**seen(0, 1, "happy"), "probabilities": [0, 0.5, 0, 0, 0, 0, 0.5]}
    streams.points = [
        *({**half, "time_s": point["time_s"]} for point in seen_from(3600, 3630, 1, "happy")),
        *seen_from(3630, 3660, 1, "sad"),
    ]
    with streams.served() as address:
        page, faults = look_at(browser, address)
        first = colours_at(page, 0.25)
        assert set(first) == {"disgust", "surprise"}
        assert first["disgust"] == pytest.approx(0.5, abs=0.1)
        assert colours_at(page, 0.75)["sad"] == pytest.approx(0.88, abs=0.1)
        expect(page.locator("#legend li")).to_have_text(list(EMOTIONS))
        assert faults == []
        page.close()


def test_what_is_not_to_be_relied_on_is_hatched(browser: Browser, streams: Streams) -> None:
    streams.points = [
        {**point, "low": point["time_s"] < 3630} for point in seen_from(3600, 3660, 1, "sad")
    ]
    with streams.served() as address:
        page, _ = look_at(browser, address)
        assert colours_at(page, 0.75)["sad"] > colours_at(page, 0.25).get("sad", 0) + 0.2
        page.close()


def test_each_person_has_a_lane_with_a_face_of_the_newest_kind(
    browser: Browser, streams: Streams
) -> None:
    streams.points = [*seen_from(3655, 3660, 1, "happy"), *seen_from(3655, 3660, 2, "sad")]
    streams.faces = {2: 1}
    with streams.served() as address:
        page, faults = look_at(browser, address)
        asked: list[str] = []
        page.on("response", lambda answer: asked.append(f"{answer.status} {answer.url}"))
        faces = page.locator(".lane .face")
        expect(faces).to_have_count(2)
        expect(faces.nth(1)).to_have_css("background-image", re.compile(r"faces/2\?picture=1"))
        assert faces.nth(0).evaluate("face => face.style.backgroundImage") == ""
        streams.faces = {2: 2}
        streams.points = [*streams.points, seen(3661, 2, "sad")]
        expect(faces.nth(1)).to_have_css("background-image", re.compile(r"faces/2\?picture=2"))
        wait_until(lambda: f"200 {address}api/streams/Front%20door/faces/2?picture=2" in asked)
        assert faults == []
        page.close()


def test_without_any_face_no_room_is_left_for_one(browser: Browser, streams: Streams) -> None:
    with streams.served() as address:
        page, _ = look_at(browser, address)
        expect(page.locator(".lane .face")).to_be_hidden()
        page.close()


def test_of_many_people_those_seen_last_have_a_lane_and_the_others_can_be_shown(
    browser: Browser, streams: Streams
) -> None:
    streams.points = [seen(3600 + track, track, "fear") for track in range(1, 10)]
    with streams.served() as address:
        page, faults = look_at(browser, address)
        lanes = page.locator(".lane b")
        expect(lanes).to_have_text([f"Person {track}" for track in range(4, 10)])
        page.get_by_role("button", name="3 more people").click()
        expect(lanes).to_have_count(9)
        page.get_by_role("button", name="fewer people").click()
        expect(lanes).to_have_count(6)
        # A minute later they are gone, but for one who is there.
        streams.points = [seen(3700, 3, "fear")]
        expect(lanes).to_have_text(["Person 3"])
        assert faults == []
        page.close()


def gap(from_s: float, to_s: float | None, reason: str = "Connection refused") -> dict[str, Any]:
    return {"from_s": from_s, "to_s": to_s, "reason": reason}


def test_a_gap_is_drawn_and_named_and_people_stay_beyond_it(
    browser: Browser, streams: Streams
) -> None:
    streams.points = seen_from(3600, 3630, 1, "happy")
    with streams.served() as address:
        page, faults = look_at(browser, address)
        # Time goes on while nothing comes, and the lane does not.
        streams.status = replace(LIVE, state="reconnecting", reason="Connection refused", lost=1)
        streams.gaps, streams.until_s = [gap(3630, None)], 3645.0
        named = page.locator(".gaps li")
        expect(named).to_have_text("1:00:30 gap, 15 s so far: Connection refused")
        assert colours_at(page, 0.5)["happy"] > 0.8
        assert colours_at(page, 0.9) == {}
        expect(page.locator(".lane .now")).to_have_text("not seen")
        # Hatched, and named where there is room: more than the grid alone.
        assert painted(page.locator(".lane canvas"), 0.76, 0.99) > 0.08
        # It may take longer than the minute that is shown.
        streams.until_s = 3930.0
        expect(named).to_have_text(re.compile("gap, 5:00 so far"))
        expect(page.locator(".lane b")).to_have_text("Person 1")
        streams.status, streams.until_s = LIVE, None
        streams.gaps = [gap(3630, 3940)]
        streams.points = [*streams.points, *seen_from(3940, 3950, 1, "sad")]
        expect(named).to_have_text("1:00:30 gap, 5:10: Connection refused")
        expect(page.locator(".lane")).to_have_count(1)
        expect(page.locator(".lane .now")).to_have_text("sad 88%")
        assert colours_at(page, 0.95)["sad"] > 0.8
        assert colours_at(page, 0.5) == {}
        # It is out of sight after a minute.
        streams.gaps, streams.points = [], [seen(4010, 1, "sad")]
        expect(named).to_have_count(0)
        assert faults == []
        page.close()


def test_the_axis_has_round_times_that_do_not_overlap(browser: Browser, streams: Streams) -> None:
    streams.points = seen_from(0, 12, 1, "happy")
    streams.status = replace(LIVE, time_s=12.0)
    with streams.served() as address:
        page, _ = look_at(browser, address, 390)
        ticks = page.locator(".axis span")
        expect(ticks.first).to_have_text("0:00")
        assert do_not_overlap(ticks)
        # Later the first minute is full.
        streams.points = [*streams.points, *seen_from(12, 61, 1, "happy")]
        expect(ticks.first).not_to_have_text("0:00")
        assert ticks.count() >= 2
        assert do_not_overlap(ticks)
        page.close()


def do_not_overlap(elements: Locator) -> bool:
    """Whether none of the elements in a row reaches the next one."""
    edges = elements.evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).map((box) => [box.left, box.right])"
    )
    return all(right <= left for (_, right), (left, _) in pairwise(edges))


def test_another_recording_begins_with_nobody(browser: Browser, streams: Streams) -> None:
    with streams.served() as address:
        page, _ = look_at(browser, address)
        streams.points = [seen(2.0, 7, "sad")]
        streams.status = replace(LIVE, time_s=2.0)
        expect(page.locator(".lane b")).to_have_text("Person 7")
        page.close()


def test_memory_and_work_are_bounded_over_time(browser: Browser, streams: Streams) -> None:
    streams.points = seen_from(3000, 3660, 1, "happy")
    with streams.served() as address:
        page, _ = look_at(browser, address)
        kept = "[...streams.values()][0].people.lanes.get(1).points.length"
        assert page.evaluate(kept) <= 301
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desktop", "phone"])
def test_the_page_breaks_no_rule_of_accessibility(
    browser: Browser, streams: Streams, axe: Any, size: tuple[int, int], scheme: str
) -> None:
    streams.points = [seen(3600 + track, track, "fear") for track in range(1, 10)]
    streams.gaps = [gap(3620, 3640)]
    streams.status = replace(LIVE, dropped=345, reason="the disk is full")
    with streams.served() as address:
        page, faults = opened(browser, address, *size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator(".gaps li")).to_have_count(1)
        assert axe(page) == []
        page.get_by_role("button", name="Wall").click()
        expect(page.locator("body")).to_have_class("wall")
        assert axe(page) == []
        assert faults == []
        page.close()
