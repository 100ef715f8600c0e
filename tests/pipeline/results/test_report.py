"""The report of a video, and the page over a batch, in a real browser and without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.pipeline.command import run, summary

CLIP = "noface_face.mov"
HOSTILE = "</script><img src=x onerror=document.title=1>.mp4".replace("/", "\N{FRACTION SLASH}")


@pytest.fixture(scope="module")
def results(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a clip, of one without a face, of one with an evil name, and of a broken one."""
    folder = tmp_path_factory.mktemp("report")
    videos = folder / "videos"
    videos.mkdir()
    shutil.copy(samples[CLIP], videos)
    shutil.copy(samples["no_face.mp4"], videos)
    shutil.copy(samples["single_face.mp4"], videos / HOSTILE)
    (videos / "broken.mp4").write_bytes(b"<b>no video</b>" * 100)
    run("run", videos, "-o", folder / "out", "--executor", "local")
    return folder / "out"


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["desktop", "phone"])
def report(request: pytest.FixtureRequest, browser: Browser, results: Path) -> Iterator[Page]:
    width, height = request.param
    page = browser.new_page(viewport={"width": width, "height": height})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith("file:") or asked.url.startswith("data:")
            or errors.append(asked.url))  # fmt: skip
    page.goto((results / CLIP / "report.html").as_uri())
    page.wait_for_function("document.querySelector('video').readyState > 0")
    yield page
    assert errors == []
    page.close()


def film_s(page: Page) -> float:
    return page.evaluate("document.querySelector('video').currentTime - data.film_starts_s")


def test_a_click_shows_that_moment(report: Page) -> None:
    lane = report.locator(".lane svg")
    lane.scroll_into_view_if_needed()
    box = lane.bounding_box()
    assert box is not None
    report.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    length_s = report.evaluate("data.length_s")
    assert film_s(report) == pytest.approx(0.8 * length_s, abs=0.1)
    assert "%" in report.locator(".now").inner_text()
    assert "person 1" in str(report.locator(".lanes").get_attribute("aria-valuetext"))
    report.mouse.click(box["x"] + 1, box["y"] + box["height"] / 2)
    assert report.locator(".now").inner_text() == "not seen"


def test_keys_move_through_the_film(report: Page) -> None:
    report.locator(".lanes").focus()
    report.keyboard.press("ArrowRight")
    report.keyboard.press("ArrowRight")
    assert film_s(report) == pytest.approx(2, abs=0.02)
    report.keyboard.press(",")
    assert film_s(report) == pytest.approx(2 - 1 / 26.5, abs=0.02)
    report.keyboard.press("Space")
    report.wait_for_function("!document.querySelector('video').paused")
    before_s = film_s(report)
    report.wait_for_function(f"Number(lanes.getAttribute('aria-valuenow')) > {before_s} + 0.2")
    report.keyboard.press("Space")
    assert report.evaluate("document.querySelector('video').paused")


def test_nothing_is_wider_than_the_screen(report: Page) -> None:
    for details in report.locator("details summary").all():
        details.click()
    assert report.evaluate("document.documentElement.scrollWidth <= innerWidth")
    report.locator(".closer").click()
    assert report.evaluate("lanes.offsetWidth > 1.9 * lanes.parentElement.clientWidth")
    assert report.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_person_has_a_face_and_segments(report: Page) -> None:
    assert report.evaluate("document.querySelector('.who img').naturalWidth") == 96
    report.locator("details summary").first.click()
    rows = report.locator("tbody tr td button")
    rows.first.click()
    start_s = float(str(rows.first.get_attribute("data-at")))
    assert film_s(report) == pytest.approx(start_s, abs=0.02)


def test_names_from_outside_are_harmless(browser: Browser, results: Path) -> None:
    page = browser.new_page()
    page.goto((results / HOSTILE / "report.html").as_uri())
    assert page.title() == HOSTILE
    assert page.locator("h1").inner_text() == HOSTILE
    page.goto((results / "index.html").as_uri())
    assert page.title() == "Emotion timelines"
    page.get_by_role("link", name="onerror").click()
    assert page.title() == HOSTILE
    page.close()


def test_a_video_without_faces_says_so(browser: Browser, results: Path) -> None:
    page = browser.new_page()
    page.goto((results / "no_face.mp4" / "report.html").as_uri())
    assert "No face was found" in page.locator("main").inner_text()
    page.close()


def test_all_videos_are_on_one_page_and_failures_first(browser: Browser, results: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((results / "index.html").as_uri())
    rows = page.locator("tbody tr")
    assert rows.count() == 4
    assert "broken.mp4" in rows.first.inner_text()
    assert "not a video" in rows.first.inner_text()
    assert page.locator("tbody a").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


def test_without_a_film_there_is_still_a_timeline(
    browser: Browser, samples: dict[str, Path], tmp_path: Path
) -> None:
    clip = samples["single_face.mp4"]
    run("run", clip, "-o", tmp_path, "--executor", "local", "--no-video")
    assert "report.html" in summary(tmp_path / clip.name)["files"]
    page = browser.new_page()
    page.goto((tmp_path / clip.name / "report.html").as_uri())
    assert page.locator("video").count() == 0
    page.locator(".lanes").focus()
    page.keyboard.press("End")
    assert page.locator(".lanes").get_attribute("aria-valuenow") == "2.40"
    page.close()


def test_a_person_who_is_never_usable_has_no_shares(
    samples: dict[str, Path], browser: Browser, tmp_path: Path
) -> None:
    options = ["--executor", "local", "--no-video", "--to", "0.5"]
    run(
        "run",
        samples["single_face.mp4"],
        "-o",
        tmp_path,
        *options,
        "--set",
        "usable.min_eyes_px=99",
    )
    (person,) = summary(tmp_path / "single_face.mp4")["people"]
    assert (person["usable_share"], person["shares"], person["confidence"]) == (0, {}, None)
    page = browser.new_page()
    page.goto((tmp_path / "single_face.mp4" / "report.html").as_uri())
    cells = page.locator("section", has_text="People").locator("td").all_inner_texts()
    assert [cell.strip() for cell in cells] == ["0:00.5", "0%", "", ""]
    page.goto((tmp_path / "index.html").as_uri())
    assert page.locator(".shares").count() == 0
    page.close()
