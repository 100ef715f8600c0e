"""The report on a touch screen: what fingers do, as the browser takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page

from tests.pipeline.results.conftest import CLIP, Open

Point = tuple[float, float]


class Fingers:
    """Sends touches to a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)

    def move(self, *paths: tuple[Point, Point], steps: int = 8) -> None:
        """Each finger goes from one point to another, all at once."""
        for step in range(steps + 1):
            share = step / steps
            points = [
                {"x": x + share * (to_x - x), "y": y + share * (to_y - y), "id": finger}
                for finger, ((x, y), (to_x, to_y)) in enumerate(paths)
            ]
            self._send("touchStart" if step == 0 else "touchMove", points)
            self._page.wait_for_timeout(20)
        self._send("touchEnd", [])
        self._page.wait_for_timeout(100)

    def _send(self, kind: str, points: list[dict[str, float]]) -> None:
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.fixture
def page(open_page: Open, results: Path) -> Page:
    page = open_page(results / CLIP / "report.html", (390, 844), has_touch=True, is_mobile=True)
    page.wait_for_selector("html[data-ready]")
    page.evaluate("timeline.seek(2), timeline.view.show(1, 4)")
    page.wait_for_timeout(100)
    return page


@pytest.fixture
def lane(page: Page) -> Point:
    """The middle of the lane."""
    canvas = page.locator(".lane canvas")
    canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'center' })")
    box = canvas.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def at_s(page: Page) -> float:
    return page.evaluate("timeline.at_s")


def test_a_tap_seeks(page: Page, lane: Point) -> None:
    page.touchscreen.tap(lane[0] + 60, lane[1])
    assert at_s(page) == pytest.approx(
        page.evaluate("x => timeline.timeAt(x)", lane[0] + 60), abs=0.02
    )
    assert at_s(page) > 2.5


def test_a_swipe_up_scrolls_the_page_and_moves_no_film(page: Page, lane: Point) -> None:
    x, y = lane
    before = page.evaluate("scrollY")
    Fingers(page).move(((x, y), (x + 4, y - 200)))
    page.wait_for_function("before => scrollY > before + 50", arg=before)
    assert at_s(page) == 2
    assert page.evaluate("[timeline.view.from_s, timeline.view.until_s]") == [1, 4]


def test_a_swipe_sideways_shows_another_part_and_moves_no_film(page: Page, lane: Point) -> None:
    x, y = lane
    per_px = page.evaluate("timeline.view.span_s / timeline.axis.clientWidth")
    Fingers(page).move(((x, y), (x - 80, y + 3)))
    assert at_s(page) == 2
    assert page.evaluate("timeline.view.from_s") == pytest.approx(1 + 80 * per_px, rel=0.1)


def test_a_finger_on_the_ruler_moves_the_film(page: Page) -> None:
    page.locator(".axis").scroll_into_view_if_needed()
    box = page.locator(".axis").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    Fingers(page).move(((100, y), (200, y)))
    assert at_s(page) == pytest.approx(page.evaluate("timeline.timeAt(200)"), abs=0.05)


def test_two_fingers_zoom(page: Page, lane: Point) -> None:
    page.evaluate("timeline.view.show(0, timeline.view.length_s)")
    page.wait_for_timeout(100)
    x, y = lane
    middle_s, span_s = page.evaluate("x => [timeline.timeAt(x), timeline.view.span_s]", x)
    Fingers(page).move(((x - 30, y), (x - 90, y)), ((x + 30, y), (x + 90, y)))
    assert page.evaluate("timeline.view.span_s") == pytest.approx(span_s / 3, rel=0.15)
    assert page.evaluate("x => timeline.timeAt(x)", x) == pytest.approx(middle_s, abs=0.3)
    assert at_s(page) == 2
    assert page.evaluate("visualViewport.scale") == 1
