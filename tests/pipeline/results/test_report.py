"""The report of a video, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from models.emotions import EMOTIONS
from pipeline.results.report import portraits_in, write_report
from stages.batch import FrameBatch
from stages.colours import BT601
from stages.frames import yuv_planes
from stages.write.annotate import Annotator
from tests.pipeline.command import run, summary, timeline
from tests.pipeline.results.conftest import CLIP, HOSTILE, Open
from tests.pipeline.results.made import Shown, many_people, result_of, summary_of, timeline_of
from tests.stages.batches import batch_of

DESKTOP, PHONE = (1440, 900), (390, 844)


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def report(request: pytest.FixtureRequest, open_page: Open, results: Path) -> Page:
    page = open_page(results / CLIP / "report.html", request.param)
    page.wait_for_function("document.querySelector('video').readyState > 0")
    return ready(page)


def ready(page: Page) -> Page:
    page.wait_for_selector("html[data-ready]")
    return page


@pytest.fixture
def made(open_page: Open, tmp_path: Path) -> Callable[..., Page]:
    """Opens the report of a made timeline."""

    def opened(*shown: Shown, length_s: float, **options: object) -> Page:
        events = options.pop("events", ())
        names = options.pop("names", {})
        result = result_of(timeline_of(*shown, length_s=length_s), names=names)
        write_report(result, summary_of(result), {}, tmp_path, events)
        return ready(open_page(tmp_path / "report.html", **options))

    return opened


def film_s(page: Page) -> float:
    page.wait_for_function("!timeline.film.video.seeking && timeline.film.next_s === null")
    return page.evaluate("timeline.film.time_s")


def at_s(page: Page) -> float:
    return page.evaluate("timeline.at_s")


def click_lane(page: Page, place: float, number: int = 0) -> None:
    """Clicks at a place of a lane, 0 to 1 from its left to its right edge."""
    lane = page.locator(".lane canvas").nth(number)
    lane.scroll_into_view_if_needed()
    box = lane.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * place, box["y"] + box["height"] / 2)


def colours_of(page: Page, number: int = 0) -> set[str]:
    """Expressions whose colour is in a lane."""
    return set(page.evaluate(
        """number => {
            const canvas = document.querySelectorAll(".lane canvas")[number];
            const { width, height } = canvas, context = canvas.getContext("2d");
            const { data } = context.getImageData(0, 0, width, height);
            const seen = new Set(new Uint32Array(data.buffer));
            const { fill } = lookOf(timeline.data.colours);
            return timeline.data.labels.filter((_, label) => seen.has(fill[label]));
        }""", number,
    ))  # fmt: skip


def test_a_click_shows_that_moment(report: Page) -> None:
    click_lane(report, 0.8)
    length_s = report.evaluate("timeline.view.length_s")
    assert film_s(report) == pytest.approx(0.8 * length_s, abs=0.1)
    assert "%" in report.locator(".lane .now").inner_text()
    expect(report.locator(".axis")).to_have_attribute(
        "aria-valuetext", re.compile(r"Person 1 (happy|neutral) \d+%")
    )
    click_lane(report, 0.001)
    assert report.locator(".lane .now").inner_text() == "not seen"


def test_keys_move_through_the_film_also_when_it_has_the_focus(report: Page) -> None:
    for focused in (".axis", "video"):
        report.locator(focused).focus()
        report.keyboard.press("Home")
        report.keyboard.press("ArrowRight")
        report.keyboard.press("ArrowRight")
        assert at_s(report) == pytest.approx(2, abs=1e-6)
        assert film_s(report) == pytest.approx(2, abs=0.02)
        report.keyboard.press(",")
        assert film_s(report) == pytest.approx(2 - 1 / 26.5, abs=0.02)
        report.keyboard.press("Shift+ArrowRight")
        assert at_s(report) == pytest.approx(report.evaluate("timeline.view.length_s"))
        report.keyboard.press("Home")
        report.keyboard.press("Space")
        report.wait_for_function("!document.querySelector('video').paused")
        report.wait_for_function("timeline.at_s > 0.2")
        report.keyboard.press("Space")
        assert report.evaluate("document.querySelector('video').paused")
    report.keyboard.press("+")
    assert report.evaluate("timeline.view.span_s < 0.6 * timeline.view.length_s")
    report.keyboard.press("0")
    assert report.evaluate("timeline.view.whole")
    report.locator(".people-filter").focus()
    report.keyboard.press("0")  # Is written, not done.
    assert report.locator(".people-filter").input_value() == "0"


def test_the_timeline_goes_where_the_films_own_buttons_go(report: Page) -> None:
    report.evaluate("timeline.seek(1)")
    report.wait_for_function("timeline.film.frame === timeline.frames.at(1)")
    report.evaluate("document.querySelector('video').currentTime = 4.5")
    report.wait_for_function("Math.abs(timeline.at_s - 4.5) < 0.04")
    report.wait_for_function("timeline.frame === timeline.frames.at(4.5)")
    assert report.locator(".lane .now").inner_text().endswith("%")


def test_film_and_lane_show_the_same_number(open_page: Open, results: Path) -> None:
    """Read in the film by drawing every number where it is, for many frames."""
    rows = timeline(results / HOSTILE)
    page = ready(open_page(results / HOSTILE / "report.html"))
    # As large as it is, and without buttons.
    page.evaluate(
        """() => {
            const video = document.querySelector("video");
            video.controls = false;
            video.style = `position: fixed; left: 0; top: 0; width: ${video.videoWidth}px;
                           height: ${video.videoHeight}px; max-height: none; border-radius: 0`;
        }"""
    )
    frames = range(4, len(rows), 5)
    for frame in frames:
        at = page.evaluate("number => timeline.frames.times[number]", frame)
        page.evaluate("at => timeline.seek(at)", at)
        page.wait_for_function("!timeline.film.video.seeking")
        page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))"
        )
        png = np.frombuffer(page.locator("video").screenshot(), np.uint8)
        shown = cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_COLOR), cv2.COLOR_BGR2GRAY)
        emotion, percent = page.locator(".lane .now").inner_text().split()
        assert emotion == rows[frame]["emotion"]
        assert f"{number_in(shown, rows[frame])}%" == percent, frame
    said = {row["emotion"] for row in (rows[frame] for frame in frames)}
    assert said == {"neutral", "happy"}


def number_in(shown: np.ndarray, row: dict[str, str]) -> int:
    """The percent that a film's picture, (h, w) uint8, is labelled with."""
    x, y, width, height = (float(row[name]) for name in ("x", "y", "width", "height"))
    errors = {}
    # The table rounds to tenths of a pixel, the film did not, and goes to the nearest pixel.
    for nudge in product((-0.04, 0.04), repeat=2):
        batch = batch_of([[(x + nudge[0], y + nudge[1], width, height)]])
        for percent in range(20, 101):
            errors[nudge, percent] = difference(shown, batch, row, percent)
    return min(errors, key=lambda key: errors[key])[1]


def difference(shown: np.ndarray, batch: FrameBatch, row: dict[str, str], percent: int) -> float:
    """Between a film's picture and what would be drawn for a percent, where that is."""
    height, width = shown.shape
    probabilities = np.full((1, 7), (1 - percent / 100) / 6)
    probabilities[0, EMOTIONS.index(row["emotion"])] = percent / 100
    labelled = replace(
        batch,
        probabilities=probabilities,
        people=np.ones(1, int),
        usable=np.array([row["usable"] == "1"]),
    )
    pixels = np.full((height * 3 // 2, width), 128, np.uint8)
    Annotator(width, height, BT601).draw(yuv_planes(pixels), labelled, 0)
    drawn = pixels[:height] != 128
    luma = np.clip((pixels[:height][drawn] - 16.0) * 255 / 219, 0, 255)
    return float(np.abs(luma - shown[drawn]).mean())


def test_a_click_on_a_person_unfolds_the_seven_probabilities(made: Callable[..., Page]) -> None:
    page = made(
        (1, 0, 4, "happy", 0.6), (2, 1, 5, "sad", 0.9), (3, 2, 4, "fear", 0.5), length_s=6
    )  # fmt: skip
    assert colours_of(page) == {"happy"}
    lane = page.locator(".lane").first
    folded = lane.locator("canvas").evaluate("canvas => canvas.clientHeight")
    lane.get_by_role("button", name="Person 1").click()
    expect(lane.get_by_role("button")).to_have_attribute("aria-expanded", "true")
    assert lane.locator("canvas").evaluate("canvas => canvas.clientHeight") > 2 * folded
    assert colours_of(page) == set(EMOTIONS)
    # From top to bottom as they are stacked, and with the numbers of the moment.
    values = lane.locator(".values li").all_inner_texts()
    assert [value.split()[0] for value in values] == list(reversed(EMOTIONS))
    assert {value.split()[0]: value.split()[1] for value in values} == {
        name: "60%" if name == "happy" else "7%" for name in EMOTIONS
    }
    lane.get_by_role("button", name="Person 1").click()
    assert lane.locator("canvas").evaluate("canvas => canvas.clientHeight") == folded
    lane.locator("canvas").dblclick()
    expect(lane.get_by_role("button")).to_have_attribute("aria-expanded", "true")


def test_heights_are_probabilities_and_hatches_are_where_they_are_low(
    made: Callable[..., Page],
) -> None:
    page = made(
        (1, 0, 3, "happy", 0.8), (1, 3, 6, "sad", 0.25), (2, 0, 6, "fear", 0.9),
        (3, 0, 6, "fear", 0.9), length_s=6,
    )  # fmt: skip
    painted, hatched = page.evaluate(
        """() => {
            const canvas = document.querySelector(".lane canvas"), { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            const pixels = new Uint32Array(data.buffer), hatch = new Set(timeline.look.hatch);
            const columns = [0.45, 0.9].map((place) => Array.from({ length: height }, (_, y) =>
                pixels[y * width + Math.round(place * width)]));
            return [
                columns.map((column) => column.filter((pixel) => pixel >>> 24).length / height),
                columns.map((column) => column.some((pixel) => hatch.has(pixel))),
            ];
        }"""
    )
    assert painted == pytest.approx([0.8, 0.25], abs=0.05)
    assert hatched == [False, True]


def test_the_wheel_and_the_brush_zoom_and_ticks_are_round(made: Callable[..., Page]) -> None:
    page = made((1, 0, 3600, "happy", 0.6), (2, 0, 1800, "sad", 0.9), length_s=3600)
    texts = page.locator(".axis span")
    assert texts.all_inner_texts()[:3] == ["0:00", "5:00", "10:00"]
    box = page.locator(".lane canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    before_s = at_s(page)
    for _ in range(12):
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(20)
    per_px = page.evaluate("timeline.view.span_s / timeline.axis.clientWidth")
    assert per_px < 0.1
    assert page.evaluate("x => timeline.timeAt(x)", x) == pytest.approx(900, abs=4)
    assert all(text.count(":") == 1 for text in texts.all_inner_texts())
    assert at_s(page) == before_s
    page.get_by_role("button", name="whole").click()
    # Three quarters of the overview, drawn from left to right; then moved to its beginning.
    strip = page.locator(".strip").bounding_box()
    assert strip is not None
    drag(page, strip, 0.25, 0.75)
    assert view_of(page) == pytest.approx((900, 2700), abs=10)
    drag(page, strip, 0.5, 0.25)
    assert view_of(page) == pytest.approx((0, 1800), abs=10)
    drag(page, strip, 0.5, 0.6)  # Its right end.
    assert view_of(page) == pytest.approx((0, 2160), abs=20)
    assert texts.all_inner_texts()[:3] == ["0:00", "5:00", "10:00"]


def drag(page: Page, box: dict[str, float], start: float, end: float) -> None:
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + (start + end) / 2 * box["width"], y)
    page.mouse.move(box["x"] + end * box["width"], y)
    page.mouse.up()
    page.wait_for_timeout(50)


def view_of(page: Page) -> tuple[float, float]:
    return tuple(page.evaluate("[timeline.view.from_s, timeline.view.until_s]"))


def test_the_view_follows_the_film(report: Page) -> None:
    for _ in range(3):
        report.locator(".closer").click()
    report.locator(".axis").focus()
    report.keyboard.press("End")
    from_s, until_s = view_of(report)
    assert from_s > 0.5
    assert until_s == pytest.approx(report.evaluate("timeline.view.length_s"))
    report.keyboard.press("Home")
    from_s, until_s = view_of(report)
    assert from_s == 0
    report.evaluate("at => timeline.seek(at)", until_s - 0.2)
    report.keyboard.press("Space")
    report.wait_for_function("until => timeline.at_s > until", arg=until_s)
    report.keyboard.press("Space")
    from_s, until_s = view_of(report)
    assert from_s < at_s(report) < until_s


def test_filters_by_person_and_expression(made: Callable[..., Page]) -> None:
    page = made(
        (1, 0, 3, "happy", 0.8), (1, 3, 6, "sad", 0.8), (2, 0, 6, "sad", 0.9),
        (12, 0, 6, "fear", 0.9), length_s=6, names={12: "Zoë"},
    )  # fmt: skip
    lanes = page.locator(".lane:visible .name b")
    expect(lanes).to_have_text(["Person 1", "Person 2", "Zoë"])
    people = page.get_by_role("searchbox", name="People")
    for asked, left in (("2", ["Person 2"]), ("1, zo", ["Person 1", "Zoë"]), ("9", [])):
        people.fill(asked)
        expect(lanes).to_have_text(left)
    expect(page.get_by_text("Nobody is left")).to_be_visible()
    people.fill("")
    page.locator("details.segments summary").click()
    expect(page.locator("details.segments tbody tr")).to_have_count(4)
    page.get_by_role("button", name="sad", exact=True).click()
    expect(lanes).to_have_text(["Person 1", "Person 2"])
    assert colours_of(page) == {"sad"}  # The others are pale.
    expect(page.locator("details.segments tbody tr")).to_have_count(2)
    page.get_by_role("button", name="happy", exact=True).click()
    assert colours_of(page) == {"happy", "sad"}
    page.locator("details.segments tbody button").nth(2).click()
    assert at_s(page) == pytest.approx(3)


def test_the_seen_briefly_are_pooled_and_events_are_marked(made: Callable[..., Page]) -> None:
    page = made(
        (1, 0, 20, "happy", 0.8), (2, 1, 1.6, "sad", 0.9), (3, 5, 5.8, "fear", 0.9), length_s=20,
        events=[("Question <1>", 5.0, 10.0), ("Answer", 12.0, 14.0)],
    )  # fmt: skip
    expect(page.locator(".lane .name b")).to_have_text(["Person 1", "Briefly seen (2)"])
    expect(page.locator(".people li")).to_have_count(2)
    assert "Briefly seen 2 people" in page.locator(".people li").last.inner_text()
    assert colours_of(page, 1) == {"sad", "fear"}
    question = page.get_by_role("group", name="Events").get_by_role("button", name="Question <1>")
    question.focus()
    page.keyboard.press("Enter")
    assert at_s(page) == pytest.approx(5)
    expect(question).to_be_focused()  # Also now that the view is another.
    expect(page.locator("[aria-current=true]")).to_have_text("Question <1>")
    expect(page.locator(".axis")).to_have_attribute("aria-valuetext", re.compile("Question <1>, "))
    assert page.locator(".lane .now").last.inner_text() == "Person 3: fear 90%"
    assert view_of(page) == pytest.approx((4.5, 10.5), abs=0.05)


def test_people_have_figures_under_the_film(made: Callable[..., Page]) -> None:
    page = made(
        (1, 2, 12, "happy", 0.7), (1, 12, 22, "sad", 0.7), (2, 0, 30, "fear", 0.9), length_s=30
    )
    text = page.locator(".people li").first.inner_text()
    for figure in ("0:02 to 0:22", "0:20 on screen", "valence +0.00", "1 change: happy → sad 1"):
        assert figure in text
    page.locator(".people li").first.get_by_role("button").last.click()
    assert at_s(page) == pytest.approx(21.96)


def test_a_portrait_is_read_back_as_it_was(results: Path, open_page: Open) -> None:
    folder = results / CLIP
    faces = portraits_in(folder / "report.html")
    assert faces.keys() == {1}
    image = cv2.imdecode(np.frombuffer(faces[1], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (96, 96, 3)
    page = ready(open_page(folder / "report.html"))
    for place in (".lane .face", ".people .face"):
        assert "data:image/jpeg" in page.locator(place).evaluate(
            "face => face.style.backgroundImage"
        )
    assert portraits_in(results / "no_face.mp4" / "report.html") == {}


def test_links_lead_to_the_tables_and_to_all_videos(open_page: Open, results: Path) -> None:
    page = open_page(results / CLIP / "report.html")
    linked = [link.get_attribute("href") for link in page.locator(".files a").all()]
    assert {"timeline.csv", "segments.csv", "annotated.mp4", "summary.json"} <= set(linked)
    assert all((results / CLIP / str(name)).exists() for name in linked)
    page.get_by_role("link", name="All videos").click()
    assert page.title() == "Emotion timelines"


def test_nothing_is_wider_than_the_screen(report: Page) -> None:
    for details in report.locator("details summary").all():
        details.click()
    report.locator(".lane button").first.click()
    assert report.evaluate("document.documentElement.scrollWidth <= innerWidth")
    report.locator(".closer").click()
    assert report.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_names_from_outside_are_harmless(open_page: Open, results: Path) -> None:
    page = open_page(results / HOSTILE / "report.html")
    assert page.title() == HOSTILE
    assert page.locator("h1").inner_text() == HOSTILE
    page = open_page(results / "index.html")
    assert page.title() == "Emotion timelines"
    page.get_by_role("link", name="onerror").click()
    assert page.title() == HOSTILE


def test_a_video_without_faces_says_so(open_page: Open, results: Path) -> None:
    page = open_page(results / "no_face.mp4" / "report.html")
    assert "No face was found" in page.locator("main").inner_text()


def test_a_film_of_one_frame_has_a_lane(made: Callable[..., Page]) -> None:
    page = made((1, 0, 1, "happy", 0.8), length_s=0.04)
    assert page.locator(".lane .now").inner_text() == "happy 80%"
    assert "happy" in colours_of(page)


def test_without_a_film_there_is_still_a_timeline(
    open_page: Open, samples: dict[str, Path], tmp_path: Path
) -> None:
    clip = samples["single_face.mp4"]
    run("run", clip, "-o", tmp_path, "--executor", "local", "--no-video")
    assert "report.html" in summary(tmp_path / clip.name)["files"]
    page = ready(open_page(tmp_path / clip.name / "report.html"))
    assert page.locator("video").count() == 0
    page.locator(".axis").focus()
    page.keyboard.press("End")
    assert page.locator(".axis").get_attribute("aria-valuenow") == "2.40"


def test_a_person_who_is_never_usable_has_no_shares(
    open_page: Open, samples: dict[str, Path], tmp_path: Path
) -> None:
    clip = samples["single_face.mp4"]
    options = ("--executor", "local", "--no-video", "--to", "0.5")
    run("run", clip, "-o", tmp_path, *options, "--set", "usable.min_eyes_px=99")
    (person,) = summary(tmp_path / clip.name)["people"]
    assert (person["usable_share"], person["shares"], person["confidence"]) == (0, {}, None)
    page = ready(open_page(tmp_path / clip.name / "report.html"))
    people = page.locator(".people li")
    assert "0:00.5 on screen, not usable" in people.inner_text()
    assert people.locator(".shares").count() == 0
    page = open_page(tmp_path / "index.html")
    assert page.locator("tbody .words").inner_text() == ""


@pytest.mark.slow
def test_an_hour_of_twenty_people_opens_soon_and_moves_smoothly(
    open_page: Open, tmp_path: Path
) -> None:
    """Prints the figures; the limits are those of a machine that is busy."""
    result = result_of(many_people(3600, 20, 4.6))
    assert len(result.segments) > 12_000
    write_report(result, summary_of(result), {}, tmp_path)
    page = open_page(tmp_path / "report.html")
    page.wait_for_function("window.timeline?.lanes[0].stale === false")
    opened_s = page.evaluate("performance.now()") / 1000
    frames_per_s = page.evaluate(
        """() => new Promise((done) => {
            const begun = performance.now();
            let frames = 0;
            requestAnimationFrame(function step() {
                timeline.show(timeline.at_s + 1 / 60);
                frames++;
                const spent_ms = performance.now() - begun;
                if (spent_ms < 3000) requestAnimationFrame(step);
                else done(1000 * frames / spent_ms);
            });
        })"""
    )
    size_mb = (tmp_path / "report.html").stat().st_size / 1e6
    print(
        f"{len(result.segments)} segments, {size_mb:.1f} MB: {opened_s:.2f} s, {frames_per_s:.0f}/s"
    )
    assert opened_s < 6
    assert frames_per_s > 25
