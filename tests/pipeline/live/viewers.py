"""The page of live streams as programs and a browser ask for it."""

from __future__ import annotations

import urllib.error
import urllib.request

from playwright.sync_api import Browser, Locator, Page

PAINTED = """(canvas, [from, until]) => {
    const { width, height } = canvas, wide = Math.round(width * (until - from));
    const { data } = canvas.getContext("2d").getImageData(width * from, 0, wide, height);
    const ground = channels(getComputedStyle(document.documentElement).getPropertyValue("--card"));
    let painted = 0;
    for (let at = 0; at < data.length; at += 4) {
        const differs = ground.some((value, channel) => data[at + channel] !== value);
        painted += data[at + 3] > 0 && differs;
    }
    return painted / (wide * height);
}"""


def get(url: str, headers: dict[str, str] | None = None, data: bytes | None = None) -> str:
    request = urllib.request.Request(url, data, headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def status_of(url: str, headers: dict[str, str] | None = None, data: bytes | None = None) -> int:
    request = urllib.request.Request(url, data, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def opened(
    browser: Browser,
    address: str,
    width: int,
    height: int,
    wait_for: str = "article[data-state=live] canvas",
) -> tuple[Page, list[str]]:
    """The page, once something is there, and what goes wrong in it from now on."""
    page = browser.new_page(viewport={"width": width, "height": height})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: faults.append(asked.url) if outside(asked.url) else None)
    page.goto(address)
    page.wait_for_selector(wait_for, timeout=30_000)
    return page, faults


def outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "blob:", "data:"))


def painted(canvas: Locator, from_place: float, until_place: float) -> float:
    """The share of a canvas that is not empty, between two places from 0 to 1."""
    return canvas.evaluate(PAINTED, [from_place, until_place])
