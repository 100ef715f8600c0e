"""Who may see the page, and what other sites can do with it: in a real browser where it decides."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import Request, urlopen

import psutil
import pytest
from playwright.sync_api import Browser, expect

from configs.errors import UsageError
from pipeline.live.page import CHANGE_HEADER
from tests.pipeline.command import run
from tests.pipeline.live.pretended import Serve, Streams
from tests.pipeline.live.viewers import status_of
from tests.streams import wait_until

ODD_TOKEN = """a b&c#d+e%41?f=g;h,i"j'k\\l/m<n>~"""


class OneStream(Streams):
    """Has no people."""

    def worker(self, name: str) -> Streams:
        if name == "broken":
            raise RuntimeError
        return self

    def recent(self, since_s: float) -> dict[str, Any]:
        return {}


@pytest.fixture
def stream() -> OneStream:
    return OneStream(("door",))


@pytest.fixture
def serve(stream: OneStream) -> Serve:
    return stream.served


@contextmanager
def site(html: str) -> Iterator[str]:
    """Another site, with one page; gives its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_another_site_can_neither_frame_the_page_nor_show_its_pictures(
    browser: Browser, serve: Serve
) -> None:
    with serve() as address:
        html = f"<iframe src={address}></iframe><img src={address}api/streams/door/picture>"
        with site(html) as hostile:
            page = browser.new_page()
            page.goto(hostile, wait_until="networkidle")
            frame = page.frames[1]
            assert frame.url.startswith("chrome-error:")
            image = page.locator("img")
            expect(image).to_have_js_property("complete", True)
            expect(image).to_have_js_property("naturalWidth", 0)
            page.goto(address)  # While the page itself has them.
            expect(page.locator("article img")).to_have_js_property("naturalWidth", 160)
            page.close()


@pytest.mark.parametrize("token", [None, "sesame"])
def test_every_answer_has_the_headers_whatever_it_says(serve: Serve, token: str | None) -> None:
    asked = ("", "page.js", "api/streams", "api/streams/door/picture", "metrics", "nowhere",
             "api/streams/broken/picture", "api/streams/door/recent?since_s=nan")  # fmt: skip
    statuses = set()
    for headers in ({}, {"authorization": "Bearer sesame"}, {"host": "evil.example"}):
        with serve(token=token) as address:
            for path in asked:
                given = headers_of(f"{address.partition('?')[0]}{path}", headers)
                statuses.add(int(given["status"]))
                policy = given["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "script-src 'self';" in policy
                assert "frame-ancestors 'none'" in policy
                assert "unsafe" not in policy
                assert given["cross-origin-resource-policy"] == "same-origin"
                assert given["x-content-type-options"] == "nosniff"
                assert given["referrer-policy"] == "no-referrer"
    refused = 401 if token else 400
    assert statuses == {200, 404, 422, 500, refused}


def headers_of(address: str, headers: dict[str, str]) -> dict[str, str]:
    try:
        with urlopen(Request(address, headers=headers), timeout=10) as answer:
            return {
                **{name.lower(): text for name, text in answer.headers.items()},
                "status": "200",
            }
    except HTTPError as error:
        lower = {name.lower(): text for name, text in error.headers.items()}
        return {**lower, "status": str(error.code)}


def test_viewers_of_two_programs_on_one_machine_stay_logged_in_to_both(
    browser: Browser, serve: Serve
) -> None:
    with serve(token=ODD_TOKEN) as first, serve(token="sesame") as second:
        assert parse_qs(urlsplit(first).query) == {"token": [ODD_TOKEN]}
        page = browser.new_page()
        for address in (first, second):
            page.goto(address)
        for address in (first, second):
            page.goto(address.partition("?")[0])
            expect(page.locator("#overall")).to_have_text("1 of 1 live")
        page.close()


def test_tokens_are_compared_as_a_whole_and_in_constant_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, right: bytes) -> bool:
        compared.append((given, right))
        return compare_digest(given, right)

    compare_digest = secrets.compare_digest
    monkeypatch.setattr("secrets.compare_digest", compare)
    with serve(token="sesame") as printed:
        address, port = printed.partition("?")[0], urlsplit(printed).port
        cookie = f"emotion-timelines-token-{port}="
        for wrong in ("", "s", "sesam", "sesame-", "Sesame", "sesamesesame", "h\xfcsh"):
            assert status_of(f"{address}?token={quote(wrong)}") == 401
            assert status_of(address, {"authorization": f"Bearer {wrong}"}) == 401
            assert status_of(address, {"cookie": f"{cookie}{wrong}"}) == 401
        compared.clear()
        for headers in ({"authorization": "Bearer sesame"}, {"cookie": f"{cookie}sesame"}):
            assert status_of(address, headers) == 200
        assert status_of(printed) == 200
        assert compared.count((b"sesame", b"sesame")) == 3
        monkeypatch.setattr("secrets.compare_digest", lambda *_: False)
        assert status_of(printed) == 401


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "localhost", "0.0.0.0", "", "::"])
def test_the_printed_address_can_be_opened(
    browser: Browser, stream: OneStream, serve: Serve, host: str
) -> None:
    with serve(host=host) as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.locator("#overall")).to_have_text("1 of 1 live")
        page.get_by_role("button", name="Stop").click()
        wait_until(lambda: stream.asked_to)
        page.close()
    shown = str(urlsplit(address).hostname)
    if host in ("127.0.0.2", "::1", "localhost"):
        assert (shown, "token" in address) == (host, False)
    else:
        interfaces = psutil.net_if_addrs().values()
        own = [each.address for all_of_one in interfaces for each in all_of_one]
        ipv4 = [address for address in own if re.fullmatch(r"[0-9.]+", address)]
        assert shown in own
        assert not shown.startswith("127.") or all(each.startswith("127.") for each in ipv4)
        assert "token" in address


def test_a_name_that_resolves_to_this_machine_is_refused(serve: Serve) -> None:
    with serve(host="127.0.0.2") as address:
        for name in ("evil.example", "127.0.0.2.evil.example", "localhost.evil", "[::1", ""):
            assert status_of(address, {"host": name}) == 400
        for name in ("127.0.0.1", "127.0.0.2:1", "LOCALHOST:80", "[::1]:80"):
            assert status_of(address, {"host": name}) == 200
        stop = f"{address}api/streams/door/stop"
        assert status_of(stop, {"host": "evil.example", CHANGE_HEADER: "1"}, b"") == 400


@pytest.mark.parametrize("host", ["a..b", "ü" * 300, "300.1.1.1", "192.0.2.77", "a\0b"])
def test_a_host_that_is_none_of_this_machine_is_refused(serve: Serve, host: str) -> None:
    with pytest.raises(UsageError, match=r"page\.host"), serve(host=host):
        pass


def test_a_token_beyond_ascii_is_refused_before_anything_starts(tmp_path: Path) -> None:
    token = "page.token=geheimnüs"
    outcome = run("run", "97", "--show", "--set", token, "-o", tmp_path / "out")
    assert outcome.returncode == 2
    assert "page.token" in outcome.stderr
    assert "ASCII" in outcome.stderr
    assert "geheim" not in outcome.stderr + outcome.stdout
    assert not (tmp_path / "out").exists()
