"""The report of a live stream, whose film is in pieces, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.bench.loopback import make_clip
from pipeline.results.report import write_report
from tests.pipeline.live.viewers import painted
from tests.pipeline.results.conftest import Open
from tests.pipeline.results.made import result_of, summary_of, timeline_of

BEGINS_S = (0, 2, 6)
"""Of the pieces, of which each lasts for two seconds: there is none from 4 s to 6 s."""

NAMES = tuple(f"annotated-000{number}.mp4" for number in (1, 2, 3))


@pytest.fixture(scope="module")
def piece(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("piece") / "piece.mp4"
    return make_clip(samples["single_face.mp4"], path, (64, 36), 25, 2)


@pytest.fixture
def recorded(piece: Path, tmp_path: Path, open_page: Open) -> Callable[..., Page]:
    """Opens the report of a recording of 8 seconds; ``there``: the pieces that are there when it
    is written, ``left``: and when it is read."""

    def opened(
        there: tuple[str, ...] = NAMES, left: tuple[str, ...] = NAMES, people: bool = True
    ) -> Page:
        for name in there:
            (tmp_path / name).symlink_to(piece)
        shown = [(1, 0, 4.5, "happy", 0.9), (1, 4.5, 8, "sad", 0.9)] if people else []
        result = result_of(timeline_of(*shown, length_s=8))
        pieces = [{"name": n, "from_s": s} for n, s in zip(NAMES, BEGINS_S, strict=True)]
        summary = replace(summary_of(result), live={"name": "Küche", "gaps": [], "pieces": pieces})
        write_report(result, summary, {}, tmp_path)
        for name in set(there) - set(left):
            (tmp_path / name).unlink()
        page = open_page(tmp_path / "report.html")
        if people:
            page.wait_for_selector("html[data-ready]")
        return page

    return opened


def look_at(page: Page, at_s: float) -> None:
    page.evaluate(f"timeline.seek({at_s})")


def wait_for_film(page: Page, name: str, at_s: float) -> None:
    """Until the film shows this place of a piece."""
    page.wait_for_function(
        """([name, at_s]) => {
            const video = document.querySelector("video");
            return video.src.endsWith(name) && video.readyState > 1 && !video.seeking
                && Math.abs(video.currentTime - at_s) < 0.05;
        }""",
        arg=[name, at_s],
    )


def test_the_film_shows_the_moment_that_is_looked_at_in_whichever_piece(
    recorded: Callable[..., Page],
) -> None:
    page = recorded()
    assert page.locator("h1").inner_text() == "Küche"
    missing = page.locator(".film .missing")
    for at_s, name, place_s in ((2.5, NAMES[1], 0.5), (7.3, NAMES[2], 1.3), (0.7, NAMES[0], 0.7)):
        look_at(page, at_s)
        wait_for_film(page, name, place_s)
        assert page.evaluate("timeline.at_s") == pytest.approx(at_s)
        assert page.evaluate("timeline.frame") == at_s * 25 // 1
        expect(missing).to_have_text("")
    # Frame by frame over a border, and back by the film's own buttons.
    look_at(page, 2.02)
    page.keyboard.press(",")
    wait_for_film(page, NAMES[0], 1.98)
    page.evaluate("document.querySelector('video').currentTime = 1")
    page.wait_for_function("timeline.frame === 25")


def test_the_playhead_follows_the_film_over_the_end_of_a_piece_and_over_a_gap(
    recorded: Callable[..., Page],
) -> None:
    page = recorded()
    for from_s, name, beyond_s in ((1.6, NAMES[1], 2.3), (3.6, NAMES[2], 6.3)):
        look_at(page, from_s)
        page.keyboard.press("Space")
        page.wait_for_function(f"timeline.at_s > {beyond_s}")
        assert page.evaluate("document.querySelector('video').src").endswith(name)
        page.keyboard.press("Space")
        page.wait_for_function("document.querySelector('video').paused")
    # Who looks elsewhere while it plays goes on from there.
    page.keyboard.press("Space")
    look_at(page, 0.2)
    page.wait_for_function("timeline.at_s > 0.5 && timeline.at_s < 2")
    assert not page.evaluate("document.querySelector('video').paused")


def test_where_there_is_no_film_that_is_said_and_the_timeline_is_there(
    recorded: Callable[..., Page],
) -> None:
    page = recorded()
    look_at(page, 5)
    expect(page.locator(".film .missing")).to_have_text("no film from 0:04 to 0:06")
    assert page.evaluate("timeline.at_s") == 5
    expect(page.locator(".lane .now")).to_have_text("sad 90%")
    look_at(page, 6.5)
    expect(page.locator(".film .missing")).to_have_text("")


def test_pieces_that_are_deleted_are_told_and_passed_over(recorded: Callable[..., Page]) -> None:
    page = recorded(left=(NAMES[0], NAMES[2]))
    missing = page.locator(".film .missing")
    look_at(page, 3)
    expect(missing).to_have_text(f"{NAMES[1]} does not play: it may have been deleted")
    assert page.evaluate("timeline.at_s") == 3
    expect(page.locator(".lane .now")).to_have_text("happy 90%")
    look_at(page, 1.6)
    wait_for_film(page, NAMES[0], 1.6)
    expect(missing).to_have_text("")
    page.keyboard.press("Space")
    page.wait_for_function("timeline.at_s > 6.3")
    page.keyboard.press("Space")
    look_at(page, 3)
    expect(missing).to_contain_text(NAMES[1])
    page.keyboard.press("Space")
    page.wait_for_function("timeline.at_s > 6.3")


def test_early_pieces_that_were_not_kept_are_told(recorded: Callable[..., Page]) -> None:
    page = recorded(there=NAMES[1:])
    look_at(page, 0.5)
    expect(page.locator(".film .missing")).to_have_text("no film before 0:02")
    assert page.evaluate("timeline.at_s") == 0.5
    look_at(page, 2.5)
    wait_for_film(page, NAMES[1], 0.5)


def test_without_people_the_pieces_play_one_after_the_other(recorded: Callable[..., Page]) -> None:
    page = recorded(people=False)
    page.locator("video").evaluate("film => { film.currentTime = 1.8; film.play(); }")
    page.wait_for_function(f"document.querySelector('video').src.endsWith('{NAMES[1]}')")
    page.wait_for_function("document.querySelector('video').currentTime > 0.1")


def test_without_any_piece_there_is_no_film(recorded: Callable[..., Page]) -> None:
    page = recorded(there=())
    assert page.locator("video").count() == 0
    look_at(page, 3)
    assert page.evaluate("timeline.at_s") == 3


def test_gaps_in_the_stream_are_drawn(tmp_path: Path, open_page: Open) -> None:
    whole = timeline_of((1, 0, 8, "happy", 0.9), length_s=8)
    there = (whole.time_s < 4) | (whole.time_s >= 6)
    columns = ("frame", "time_s", "track", "boxes", "score", "probabilities", "usable")
    rows = {name: getattr(whole, name)[there] for name in columns}
    result = result_of(replace(whole, **rows, gaps_s=(3.96,)))
    write_report(result, summary_of(result), {}, tmp_path)
    page = open_page(tmp_path / "report.html")
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("timeline.data.gaps.map(([from, until]) => nameOfGap(from, until))") == [
        "gap, 2.0 s"
    ]
    for at_s, now in ((5, "not seen"), (3.9, "happy 90%"), (6.1, "happy 90%")):
        page.evaluate(f"timeline.seek({at_s})")
        expect(page.locator(".lane .now")).to_have_text(now)
    lane = page.locator(".lane canvas")
    for _ in range(2):  # All seven probabilities, and the likeliest alone.
        assert painted(lane, 0.1, 0.49) > 0.8
        assert 0.05 < painted(lane, 0.52, 0.73) < 0.5
        page.get_by_role("button", name="Person 1").click()
