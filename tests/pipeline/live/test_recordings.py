"""Recordings that the page gives to viewers, and what it keeps from them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from pipeline.results.report import write_report
from pipeline.results.summary import Summary
from tests.pipeline.live.pretended import Streams
from tests.pipeline.live.viewers import get, opened, status_of
from tests.pipeline.results.made import result_of, summary_of, timeline_of

DOOR = "recordings/Front%20door/Front%20door"
FILM = bytes(range(200))


@pytest.fixture
def streams(tmp_path: Path) -> Streams:
    """One with a finished recording, in a folder where there is more."""
    folder = tmp_path / "Front door"
    folder.mkdir()
    (tmp_path / "timeline.csv").write_text("above")
    (tmp_path / "Yard").mkdir()
    (tmp_path / "Yard" / "timeline.csv").write_text("elsewhere")
    result = result_of(timeline_of((1, 0, 2, "happy", 0.9), length_s=2))
    (folder / "timeline.csv").write_text("frame,time_s,track\n")
    (folder / "annotated-0001.mp4").write_bytes(FILM)
    (folder / "timeline.svg").write_text("<svg/>")
    (folder / "notes.txt").write_text("mine")
    (folder / ".unfinished.annotated-0002.mp4").write_text("half")
    (folder / "annotated-0009.mp4").symlink_to(tmp_path / "timeline.csv")
    pieces = [{"name": f"annotated-000{number}.mp4", "from_s": number} for number in (1, 2)]
    live = {"started_at": "2026-11-26T08:00:00+00:00", "gaps": [], "pieces": pieces}
    summary = Summary(
        "tcp://camera:1", "partial", "the disk is full", frames=50, duration_s=61.0, tracks=1,
        live=live, files=("timeline.csv",),
    )  # fmt: skip
    write_report(result, summary_of(result), {}, folder)
    streams = Streams()
    streams.recorded = [(folder, summary)]
    return streams


def answer_of(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urlopen(Request(url, headers=headers), timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        return error.code, dict(error.headers), error.read()


def test_what_a_recording_has_is_listed(streams: Streams) -> None:
    with streams.served() as address:
        (listed,) = json.loads(get(f"{address}api/streams/Front%20door/recordings"))["recordings"]
        assert status_of(f"{address}api/streams/Cellar/recordings") == 404
        (shown,) = json.loads(get(f"{address}api/streams"))["streams"]
    assert set(listed.pop("files")) == {
        "timeline.csv", "annotated-0001.mp4", "timeline.svg", "report.html"
    }  # fmt: skip
    assert listed == {
        "name": "Front door",
        "status": "partial",
        "reason": "the disk is full",
        "started_at": "2026-11-26T08:00:00+00:00",
        "duration_s": 61.0,
        "people": 1,
        "pieces": [{"name": "annotated-0001.mp4", "from_s": 1}],
    }
    assert shown["recordings"] == 1


def test_files_come_as_what_they_are_and_nothing_runs_in_them(streams: Streams) -> None:
    with streams.served() as address:
        for name, kind in (
            ("timeline.csv", "application/octet-stream"),
            ("timeline.svg", "application/octet-stream"),
            ("annotated-0001.mp4", "video/mp4"),
        ):
            status, headers, _ = answer_of(f"{address}{DOOR}/{name}")
            assert (status, headers["content-type"]) == (200, kind)
            assert ("attachment" in headers.get("content-disposition", "")) is (kind != "video/mp4")
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "script-src 'self'" in headers["content-security-policy"]
        # A film can be played from anywhere.
        status, headers, part = answer_of(f"{address}{DOOR}/annotated-0001.mp4", range="bytes=7-9")
        assert (status, headers["content-range"], part) == (206, "bytes 7-9/200", FILM[7:10])
        _, headers, _ = answer_of(f"{address}{DOOR}/report.html")
        policy = headers["content-security-policy"]
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert re.search(r"script-src 'sha256-[\w+/=]+';", policy)
        assert "frame-ancestors 'none'" in policy
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "path",
    [
        f"{DOOR}/notes.txt",
        f"{DOOR}/.unfinished.annotated-0002.mp4",
        f"{DOOR}/annotated-0009.mp4",
        f"{DOOR}/annotated-0002.mp4",
        f"{DOOR}/../timeline.csv",
        f"{DOOR}/..%2Ftimeline.csv",
        f"{DOOR}/..%2FYard%2Ftimeline.csv",
        f"{DOOR}/%2Fetc%2Fpasswd",
        f"{DOOR}/timeline.csv%00",
        f"{DOOR}/*.csv",
        "recordings/Front%20door/Yard/timeline.csv",
        "recordings/Front%20door/../timeline.csv",
        "recordings/Front%20door/%2E%2E/timeline.csv",
        "recordings/Front%20door/./timeline.csv",
        "recordings/Yard/Yard/timeline.csv",
        "recordings/../../etc/passwd",
        "shared/report.js",
        "shared/..%2Fpages.py",
        "..%2Fpage.py",
    ],
)
def test_nothing_else_is_given(streams: Streams, path: str) -> None:
    with streams.served() as address:
        status, _, answer = answer_of(address + path)
        assert status == 404
        assert b"elsewhere" not in answer
        assert b"above" not in answer


def test_a_deleted_recording_is_no_longer_there(streams: Streams) -> None:
    folder, _ = streams.recorded[0]
    with streams.served() as address:
        assert status_of(f"{address}{DOOR}/timeline.csv") == 200
        (folder / "timeline.csv").unlink()
        assert status_of(f"{address}{DOOR}/timeline.csv") == 404


def test_other_machines_need_the_token_for_recordings(streams: Streams) -> None:
    with streams.served(host="0.0.0.0", token="sesame") as printed:
        address = f"http://127.0.0.1:{urlsplit(printed).port}/"
        for path in (f"{DOOR}/timeline.csv", "api/streams/Front%20door/recordings"):
            assert status_of(address + path) == 401
            assert status_of(f"{address}{path}?token=sesame") == 200


def test_the_report_runs_its_own_script_and_no_other(browser: Browser, streams: Streams) -> None:
    folder, _ = streams.recorded[0]
    report = folder / "report.html"
    evil = (
        "<script>document.title = 'evil'</script><img src=x onerror=document.title='evil'></body>"
    )
    report.write_text(report.read_text().replace("</body>", evil))
    (folder.parent / "index.html").write_text("")
    with streams.served() as address:
        page = browser.new_page()
        page.goto(f"{address}{DOOR}/report.html")
        page.wait_for_selector("html[data-ready]")
        assert page.title() != "evil"
        assert page.locator(".lane canvas").evaluate("canvas => canvas.width") > 100
        # Its way back leads to the page.
        page.goto(f"{address}recordings/Front%20door/index.html")
        expect(page.locator("#overall")).to_have_text("1 of 1 live")
        page.close()


def test_recordings_are_shown_when_they_are_there(browser: Browser, streams: Streams) -> None:
    recorded, streams.recorded = streams.recorded, []
    with streams.served() as address:
        page, faults = opened(browser, address, 390, 844)
        expect(page.locator(".recordings")).to_be_hidden()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("article")).to_have_attribute("data-state", "ended")
        streams.recorded = recorded
        item = page.locator(".recordings li")
        expect(item.locator(".status")).to_have_text("partial")
        expect(item.locator(".facts")).to_have_text("1:01, 1 person")
        expect(item.locator(".reason-of")).to_have_text("the disk is full")
        expect(item.locator("a").first).to_have_text("Report")
        expect(item.get_by_role("link", name="film from 0:01")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert faults == []
        page.close()
