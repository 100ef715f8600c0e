"""The page over all results, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from models.emotions import EMOTIONS
from pipeline.results.index import write_index
from pipeline.results.summary import Summary
from pipeline.results.video_result import PARTS, strip_of
from tests.pipeline.results.conftest import Open
from tests.pipeline.results.made import result_of, timeline_of

PERSON = {
    "track": 1, "face_s": 10.0, "usable_share": 1.0,
    "shares": dict.fromkeys(EMOTIONS, 0.0) | {"happy": 1.0},
}  # fmt: skip


def video(out: Path, name: str, status: str = "complete", **facts: object) -> tuple[Path, Summary]:
    files = () if status == "failed" else ("report.html",)
    return out / name, Summary(name, status, files=files, **facts)


def names_in(page: Page) -> list[str]:
    return page.locator("tbody .name a").all_inner_texts()


@pytest.fixture
def page(open_page: Open, tmp_path: Path) -> Page:
    """Of five videos, one of which is still waiting."""
    sad = {**PERSON, "track": 2, "shares": dict.fromkeys(EMOTIONS, 0.0) | {"sad": 1.0}}
    write_index(
        tmp_path,
        {
            tmp_path / "waiting.mp4": None,
            **dict(
                [
                    video(tmp_path, "clip 10.mp4", frames=100, duration_s=4.0, people=(PERSON,),
                          strip="33-4"),
                    video(tmp_path, "clip 9.mp4", frames=100, duration_s=90.0,
                          people=(PERSON, sad)),
                    video(tmp_path, "cut.mp4", "partial", reason="ends early", frames=9,
                          duration_s=5.6),
                    video(tmp_path, "broken.mp4", "failed", reason="not a video"),
                ]
            ),
        },
    )  # fmt: skip
    return open_page(tmp_path / "index.html")


def test_what_needs_attention_comes_first_and_all_is_summed_up(page: Page) -> None:
    assert names_in(page) == ["broken.mp4", "cut.mp4", "waiting.mp4", "clip 9.mp4", "clip 10.mp4"]
    assert page.locator(".facts").inner_text() == (
        "5 videos, 1 failed, 1 partial, 1 waiting, 2 complete, 1:40 in all, 3 people"
    )
    rows = page.locator("tbody tr")
    assert "not a video" in rows.first.inner_text()
    assert rows.first.locator("a[href]").count() == 0
    assert rows.last.locator("a").get_attribute("href") == "clip%2010.mp4/report.html"
    assert "happy 50%, sad 50%" in rows.nth(3).inner_text()


def test_columns_sort(page: Page) -> None:
    by_name = ["broken.mp4", "clip 9.mp4", "clip 10.mp4", "cut.mp4", "waiting.mp4"]
    head = page.get_by_role("button", name="video")
    head.click()
    assert names_in(page) == by_name
    expect(page.locator("th.name").first).to_have_attribute("aria-sort", "ascending")
    head.click()
    assert names_in(page) == by_name[::-1]
    page.get_by_role("button", name="length").click()
    assert names_in(page)[:3] == ["clip 9.mp4", "cut.mp4", "clip 10.mp4"]
    page.get_by_role("button", name="people").click()
    assert names_in(page)[:2] == ["clip 9.mp4", "clip 10.mp4"]


def test_names_and_reasons_are_searched_and_statuses_filtered(page: Page) -> None:
    search = page.get_by_role("searchbox")
    search.fill("EARLY")
    assert names_in(page) == ["cut.mp4"]
    assert page.locator(".facts").inner_text().startswith("1 of 5 videos, 1 partial")
    search.fill("")
    page.get_by_role("button", name="complete").click()
    page.get_by_role("button", name="failed").click()
    assert names_in(page) == ["broken.mp4", "clip 9.mp4", "clip 10.mp4"]
    search.fill("nothing like that")
    expect(page.get_by_text("No video is left")).to_be_visible()


def test_people_have_their_names(open_page: Open, tmp_path: Path) -> None:
    """Two tracks are Ann, one is left out, one has no name."""
    people = tuple({**PERSON, "track": track} for track in (1, 2, 4))
    left_out = {**PERSON, "track": 3, "shares": {name: name == "sad" for name in EMOTIONS}}
    write_index(
        tmp_path,
        dict(
            [
                video(tmp_path, "a.mp4", frames=9, people=(*people, left_out)),
                video(tmp_path, "b.mp4", frames=9, people=people),
            ]
        ),
        {tmp_path / "a.mp4": {1: "Ann <1>", 2: "Ann <1>", 3: ""}},
    )
    page = open_page(tmp_path / "index.html")
    assert page.locator(".facts").inner_text().endswith("5 people")
    page.get_by_role("searchbox").fill("ann <")
    assert names_in(page) == ["a.mp4"]
    row = page.locator("tbody tr")
    assert (row.locator(".who").inner_text(), row.locator(".people").inner_text()) == (
        "Ann <1>",
        "2",
    )
    assert row.locator(".words").inner_text() == "happy 100%"


def test_a_row_has_a_small_timeline(page: Page) -> None:
    painted = page.locator("tbody tr").last.locator("canvas").evaluate(
        """canvas => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, height / 2, width, 1);
            const pixels = new Uint32Array(data.buffer);
            return [0.2, 0.6, 0.9].map((place) =>
                list.look.fill.indexOf(pixels[Math.round(place * width)]));
        }"""
    )  # fmt: skip
    assert painted == [EMOTIONS.index("happy"), -1, EMOTIONS.index("neutral")]


def test_pictures_of_real_results_are_shown(open_page: Open, results: Path) -> None:
    for size in ((1440, 900), (390, 844)):
        page = open_page(results / "index.html", size)
        assert page.locator("tbody tr").count() == 4
        expect(page.locator("tbody img:visible")).to_have_count(3)
        pictures = page.locator("tbody img:visible")
        expect(pictures.first).to_have_js_property("naturalWidth", 320)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_three_thousand_videos_stay_usable(open_page: Open, tmp_path: Path) -> None:
    write_index(
        tmp_path,
        dict(
            video(tmp_path, f"session {number}.mp4", frames=9, duration_s=60.0, people=(PERSON,),
                  strip="3" * PARTS)
            for number in range(3000)
        ),
    )  # fmt: skip
    page = open_page(tmp_path / "index.html")
    assert "3,000 videos, 3,000 complete, 50:00:00 in all" in page.locator(".facts").inner_text()
    assert page.locator("tbody tr").count() < 300
    spent_ms = page.evaluate(
        """() => {
            const begun = performance.now();
            document.querySelector("thead button[data-key=length_s]").click();
            document.querySelector("thead button[data-key=name]").click();
            document.body.getBoundingClientRect();
            return performance.now() - begun;
        }"""
    )
    assert spent_ms < 1500  # About 60 where nothing else runs.
    page.get_by_role("searchbox").fill("session 2999")
    assert names_in(page) == ["session 2999.mp4"]
    page.get_by_role("searchbox").fill("")
    for _ in range(3):
        page.keyboard.press("End")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(100)
    assert page.locator("tbody tr").count() > 100


def test_a_strip_names_what_lasts_longest_in_each_part() -> None:
    shown = ((1, 0, 30, "happy", 0.9), (2, 20, 30, "sad", 0.9), (3, 20, 30, "sad", 0.9),
             (1, 45, 60, "fear", 0.3))  # fmt: skip
    happy, sad, unclear = str(EMOTIONS.index("happy")), str(EMOTIONS.index("sad")), "7"
    strip = strip_of(result_of(timeline_of(*shown, length_s=60)))
    assert strip == happy * 20 + sad * 10 + "-" * 15 + unclear * 15
    one_frame = strip_of(result_of(timeline_of((1, 0, 1, "happy", 0.9), length_s=0.04)))
    assert set(one_frame) == {happy}
