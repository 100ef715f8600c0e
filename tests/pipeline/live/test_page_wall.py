"""The page of many cameras: a wall of pictures, a phone, and how much is asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from time import sleep
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.pipeline.live.pretended import LIVE, Streams, jpeg
from tests.pipeline.live.viewers import opened
from tests.streams import wait_until

SIXTEEN = tuple(f"Camera {number} with a rather long name" for number in range(1, 17))


@pytest.fixture
def streams() -> Streams:
    return Streams(SIXTEEN)


class Watch:
    """Counts the requests of a page, by what is asked for, and those under way at a time."""

    def __init__(self, page: Page) -> None:
        self.asked: Counter[str] = Counter()
        self.widths: set[int] = set()
        self.most_at_once = self._under_way = 0
        page.on("request", self._began)
        for event in ("requestfinished", "requestfailed"):
            page.on(event, self._ended)

    def _began(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if not parts.path.startswith("/api/"):
            return
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        name = parts.path.rpartition("/")[2]
        self.asked[name] += 1
        if name == "picture":
            self.asked[parts.path] += 1
            self.widths.add(int(parse_qs(parts.query)["width"][0]))

    def _ended(self, request: Request) -> None:
        self._under_way -= urlsplit(request.url).path.startswith("/api/")

    @property
    def cameras(self) -> int:
        """Of how many a picture was asked for."""
        return sum(name.startswith("/api") for name in self.asked)


def test_sixteen_cameras_on_a_phone_ask_for_what_can_be_seen(
    browser: Browser, streams: Streams
) -> None:
    with streams.served() as address:
        page, faults = opened(browser, address, 390, 844)
        expect(page.locator("#overall")).to_have_text("16 of 16 live")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        watch = Watch(page)
        page.wait_for_timeout(1000)
        assert watch.cameras <= 4
        assert watch.most_at_once <= 4
        assert watch.asked["picture"] <= 30
        assert watch.asked["recent"] <= 3 * 4
        # Those below the screen come when they are looked at.
        last = page.locator("article").last
        assert last.locator("img").get_attribute("src") is None
        last.scroll_into_view_if_needed()
        expect(last.locator("img")).to_have_js_property("naturalWidth", 160)
        assert faults == []
        page.close()


@pytest.mark.parametrize(("width", "height", "columns"), [(390, 844, 2), (1440, 900, 4)])
def test_the_wall_shows_pictures_alone_as_large_as_all_of_them_fit(
    browser: Browser, streams: Streams, width: int, height: int, columns: int
) -> None:
    with streams.served() as address:
        page, faults = opened(browser, address, width, height)
        page.get_by_role("button", name="Wall").click()
        tiles = page.locator("article")
        expect(tiles).to_have_count(16)
        assert len({round(tile.bounding_box()["x"]) for tile in tiles.all()}) == columns
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("article .timeline, article dl, article button").evaluate_all(
            "parts => parts.every((part) => !part.checkVisibility())"
        )
        if width > 1000:  # All of them at once.
            assert page.evaluate("document.documentElement.scrollHeight") <= height
            expect(page.locator("article img").last).to_have_js_property("naturalWidth", 160)
        watch = Watch(page)
        page.wait_for_timeout(1000)
        assert watch.asked["recent"] <= 1  # It was under way.
        assert watch.asked["picture"] <= 30
        assert max(watch.widths) <= 480
        # It stays after a reload, and ends with a click.
        page.reload()
        expect(page.locator("body")).to_have_class("wall")
        page.get_by_role("button", name="Wall").click()
        expect(page.locator("article dl").first).to_be_visible()
        assert faults == []
        page.close()


def test_few_requests_are_under_way_at_once_however_slow_the_answers(
    browser: Browser, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = streams.picture

    def slow(width_px: int | None) -> bytes | None:
        sleep(0.2)
        return picture(width_px)

    monkeypatch.setattr(streams, "picture", slow)
    with streams.served() as address:
        page, _ = opened(browser, f"{address}#wall", 1440, 900, wait_for="article img[src]")
        watch = Watch(page)
        page.reload()
        expect(page.locator("article img[src]")).to_have_count(16)
        page.wait_for_timeout(1000)
        assert watch.most_at_once <= 4
        page.close()


def test_a_stream_that_is_not_live_says_so_on_the_wall(browser: Browser, streams: Streams) -> None:
    with streams.served() as address:
        page, _ = opened(browser, f"{address}#wall", 1440, 900, wait_for="article img[src]")
        streams.status = replace(LIVE, state="reconnecting", reason="Connection refused")
        tile = page.locator("article").first
        expect(tile.locator(".state")).to_be_visible()
        expect(tile.locator(".reason")).to_have_text("Connection refused")
        page.close()


def test_only_one_picture_of_each_stream_is_kept(browser: Browser, streams: Streams) -> None:
    streams.names = SIXTEEN[:2]
    streams.picture_jpeg = jpeg(320, 180)
    with streams.served() as address:
        page, _ = opened(browser, address, 1440, 900)
        page.evaluate(
            """() => {
                Object.assign(window, { made: 0, kept: new Set() });
                const [make, drop] = [URL.createObjectURL, URL.revokeObjectURL];
                URL.createObjectURL = (blob) => {
                    const address = make(blob);
                    made += 1;
                    kept.add(address);
                    return address;
                };
                URL.revokeObjectURL = (address) => {
                    kept.delete(address);
                    drop(address);
                };
            }"""
        )
        wait_until(lambda: page.evaluate("made") > 12)
        assert page.evaluate("kept.size") <= 2
        page.close()


def test_nothing_is_asked_for_while_nobody_looks(browser: Browser, streams: Streams) -> None:
    with streams.served() as address:
        page, _ = opened(browser, address, 1000, 800)
        page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
        page.wait_for_timeout(500)
        watch = Watch(page)
        page.wait_for_timeout(1000)
        assert not watch.asked
        page.close()
