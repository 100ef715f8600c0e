"""The page over streams in any state: what it shows and asks for, in a real browser."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from models.emotions import EMOTIONS
from pipeline.live.page import CHANGE_HEADER
from tests.pipeline.live.pretended import LIVE, Serve, Streams, seen
from tests.pipeline.live.viewers import get, opened, status_of


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
def serve(streams: Streams) -> Serve:
    return streams.served


def card_of(page: Page) -> Locator:
    return page.locator("article", has_text=LIVE.name)


def test_figures_and_people_are_those_of_the_stream(
    browser: Browser, streams: Streams, serve: Serve
) -> None:
    streams.points = [
        *(seen(3659.0 + step / 5, 1, "happy") for step in range(10)),
        *(seen(3655.0 + step / 5, 2, "sad") for step in range(10)),
    ]
    with serve() as address:
        page, faults = opened(browser, address, 1000, 800)
        card = card_of(page)
        assert [card.locator(f".{name}").inner_text() for name in (
            "state", "frames_per_s", "latency", "time", "dropped")
        ] == ["live", "14.5", "1.2 s", "1:01:01", "0"]  # fmt: skip
        people = card.locator(".lane .name")
        expect(people).to_have_text(["Person 1happy 88%", "Person 2not seen"])
        expect(page.locator("#overall")).to_have_text("1 of 1 live")
        expect(page.locator("#legend li")).to_have_text(list(EMOTIONS))
        assert faults == []
        page.close()


def test_why_a_stream_is_not_live_is_shown(
    browser: Browser, streams: Streams, serve: Serve
) -> None:
    with serve() as address:
        page, faults = opened(browser, address, 1000, 800)
        card = card_of(page)
        reason = "<img src=x onerror=document.title=1>: Connection refused"
        streams.status = replace(LIVE, state="reconnecting", reason=reason, dropped=3, lost=1)
        expect(card).to_have_attribute("data-state", "reconnecting")
        expect(card.locator(".reason")).to_have_text(reason)
        expect(card.locator(".dropped.some")).to_have_text("3")
        expect(card.locator(".lost.some")).to_have_text("1")
        expect(page.locator("#overall")).to_have_text("0 of 1 live")
        assert page.title() == "Emotion Timelines: live"
        assert faults == []
        page.close()


def test_a_click_stops_and_starts_the_stream(
    browser: Browser, streams: Streams, serve: Serve
) -> None:
    with serve() as address:
        page, faults = opened(browser, address, 1000, 800)
        button = card_of(page).locator(".change")
        expect(button).to_have_text("Stop")
        button.click()
        expect(button).to_have_text("Start")
        button.click()
        expect(button).to_have_text("Stop")
        assert streams.asked_to == ["stop", "start"]
        assert faults == []
        page.close()


def test_the_page_says_when_the_program_has_ended_and_goes_on_when_it_is_back(
    browser: Browser, serve: Serve
) -> None:
    with serve() as address:
        page, _ = opened(browser, address, 1000, 800)
    overall = page.locator("#overall")
    expect(overall).to_contain_text("does not answer")
    with serve(port=urlsplit(address).port):
        expect(overall).to_have_text("1 of 1 live")
    page.close()


def test_a_browser_with_the_token_sees_the_page_and_another_does_not(
    browser: Browser, serve: Serve
) -> None:
    with serve(host="0.0.0.0", token="sesame") as printed:
        address = printed.replace(str(urlsplit(printed).hostname), "127.0.0.1")
        page, faults = opened(browser, address, 1000, 800)
        picture = card_of(page).locator("img")
        expect(picture).to_have_js_property("naturalWidth", 160)
        page.goto(address.partition("?")[0])  # The browser remembers the token.
        expect(page.locator("#overall")).to_have_text("1 of 1 live")
        assert faults == []
        with browser.new_context() as stranger:
            answer = stranger.new_page().goto(address.partition("?")[0])
            assert answer is not None
            assert answer.status == 401
            assert "Open the address that the program printed." in answer.text()
        page.close()


def test_each_page_for_other_machines_has_a_token_of_its_own(serve: Serve) -> None:
    tokens = set()
    for _ in range(2):
        with serve(host="0.0.0.0") as address:
            tokens.add(address.partition("?token=")[2])
    assert len(tokens) == 2
    assert all(len(token) > 20 for token in tokens)


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_a_page_for_this_machine_needs_no_token(serve: Serve, host: str) -> None:
    with serve(host=host) as address:
        assert "token" not in address
        assert status_of(address) == 200


def test_programs_are_answered_by_what_is_the_case(streams: Streams, serve: Serve) -> None:
    streams.points = [seen(1.0, 1, "happy"), seen(2.0, 1, "sad")]
    with serve() as address:
        door = f"{address}api/streams/Front%20door"
        recent = json.loads(get(f"{door}/recent?since_s=1"))
        assert [point["time_s"] for point in recent["points"]] == [2.0]
        change = {CHANGE_HEADER: "1"}
        assert status_of(f"{door}/explode", change, b"") == 404
        assert status_of(f"{address}api/streams/Cellar/stop", change, b"") == 404
        assert status_of(f"{door}/stop", data=b"") == 403
        assert streams.asked_to == []
        assert get(f"{door}/stop", change, b"")
        assert streams.asked_to == ["stop"]
        streams.picture_jpeg = None
        assert status_of(f"{door}/picture") == 204
        streams.died = True
        assert status_of(f"{door}/picture") == 503
