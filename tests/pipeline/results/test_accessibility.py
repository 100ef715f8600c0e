"""Automated checks of accessibility of the pages, by axe-core in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.results.report import write_report
from tests.pipeline.results.conftest import CLIP, Open
from tests.pipeline.results.made import result_of, summary_of, timeline_of

Violations = Callable[[Page], list[str]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desktop", "phone"])
def test_pages_break_no_rule(
    open_page: Open, results: Path, axe: Violations, size: tuple[int, int], scheme: str
) -> None:
    page = open_page(results / CLIP / "report.html", size, color_scheme=scheme)
    page.wait_for_selector("html[data-ready]")
    for details in page.locator("details summary").all():
        details.click()
    assert axe(page) == []
    for name in ("index.html", "no_face.mp4/report.html"):
        assert axe(open_page(results / name, size, color_scheme=scheme)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_events_break_no_rule(
    open_page: Open, axe: Violations, tmp_path: Path, scheme: str
) -> None:
    """Wide and narrow ones, and the one that is shown."""
    result = result_of(timeline_of((1, 0, 60, "happy", 0.8), length_s=60))
    events = [("Question", 0.0, 20.0), ("Beep", 20.0, 20.1), ("Answer", 30.0, 60.0)]
    write_report(result, summary_of(result), {}, tmp_path, events)
    page = open_page(tmp_path / "report.html", color_scheme=scheme)
    expect(page.locator("[aria-current=true]")).to_have_text("Question")
    assert axe(page) == []


def test_violations_are_found(open_page: Open, results: Path, axe: Violations) -> None:
    page = open_page(results / "index.html")
    page.evaluate(
        """() => {
            document.querySelector(".facts").style.color = "#ccc";
            const search = document.querySelector(".search");
            search.placeholder = "";
            search.parentElement.replaceWith(search);
        }"""
    )
    rules = {violation.partition(":")[0] for violation in axe(page)}
    assert rules >= {"color-contrast", "label"}


def test_nothing_moves_for_those_who_ask_for_that(open_page: Open, results: Path) -> None:
    moving = """[...document.querySelectorAll("*")].filter(
        (element) => getComputedStyle(element).transitionDuration !== "0s").length"""
    for reduced, any_moves in (("no-preference", True), ("reduce", False)):
        page = open_page(results / CLIP / "report.html")
        page.emulate_media(reduced_motion=reduced)
        assert (page.evaluate(moving) > 0) is any_moves
