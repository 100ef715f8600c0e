"""The page of live streams, in a real browser and as programs read it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from pipeline.bench.loopback import LoopbackCamera
from tests.pipeline.command import start
from tests.pipeline.live.viewers import get, opened, status_of
from tests.streams import free_port, wait_until


class Door:
    """A camera that can be switched off."""

    def __init__(self, clip: Path) -> None:
        self._clip, self.port = clip, free_port()
        self._camera = LoopbackCamera(clip, port=self.port)
        self._camera.__enter__()

    @contextmanager
    def switched_off(self) -> Iterator[None]:
        self._camera.__exit__()
        yield
        self._camera = LoopbackCamera(self._clip, port=self.port)
        self._camera.__enter__()

    def close(self) -> None:
        self._camera.__exit__()


@pytest.fixture(scope="module")
def door(camera_clips: dict[str, Path]) -> Iterator[Door]:
    door = Door(camera_clips["mpegts"])
    yield door
    door.close()


@pytest.fixture(scope="module")
def address(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with a live stream and one that cannot be reached."""
    folder = tmp_path_factory.mktemp("page")
    listed = folder / "cameras.yaml"
    listed.write_text(
        f"- {{name: Front door, address: 'tcp://127.0.0.1:{door.port}'}}\n"
        f"- {{name: Yard, address: 'rtsp://me:hush@127.0.0.1:{free_port()}/x'}}\n"
    )
    quick = ("live.piece_s=2", "live.retry_wait_s=0.2", "live.longest_retry_wait_s=0.5")
    settings = [word for setting in quick for word in ("--set", setting)]
    process = serving(listed, "-o", folder / "out", *settings)
    yield printed_address(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def serving(*arguments: object) -> subprocess.Popen[str]:
    arguments = ("run", "--show", "--executor", "local", *arguments)
    return start(*arguments, stderr=None)


def printed_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found is not None
    return found[0]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_pictures_move_and_charts_grow(
    browser: Browser, address: str, width: int, height: int
) -> None:
    page, faults = opened(browser, address, width, height)
    picture = page.locator("article", has_text="Front door").locator("img")
    shown = set()

    def has_moved() -> bool:
        shown.add(picture.get_attribute("src"))
        return len(shown) > 4

    wait_until(has_moved)
    size = picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert size == [480, 270]  # As large as it is shown, in steps.
    ink = """canvas => {
        const { width, height } = canvas, context = canvas.getContext("2d");
        const { data } = context.getImageData(0, 0, width, height);
        let painted = 0;
        for (let i = 3; i < data.length; i += 4) painted += data[i] > 0;
        return painted / (width * height);
    }"""
    chart = page.locator("canvas").first
    before = chart.evaluate(ink)
    assert before > 0
    wait_until(lambda: chart.evaluate(ink) > before + 0.02)
    assert "Connection refused" in page.locator("article", has_text="Yard").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []
    page.close()


def test_a_gap_is_drawn_and_a_person_stays_beyond_it(
    browser: Browser, address: str, door: Door
) -> None:
    page, faults = opened(browser, address, 1000, 800)
    card = page.locator("article", has_text="Front door")
    face = card.locator(".lane .face")
    wait_until(lambda: "faces/1?picture=" in (face.get_attribute("style") or ""))
    with door.switched_off():
        expect(card).to_have_attribute("data-state", "reconnecting")
        expect(card.locator(".gaps")).to_contain_text("so far: ")
    expect(card).to_have_attribute("data-state", "live")
    expect(card.locator(".gaps li")).to_have_count(1)
    expect(card.locator(".gaps")).not_to_contain_text("so far")
    expect(card.locator(".lane b")).to_have_text("Person 1")
    expect(card.locator(".lane .now")).to_contain_text("%")
    assert faults == []
    page.close()


def test_one_stream_stops_and_starts_and_its_recording_is_there_to_see_and_to_take(
    browser: Browser, address: str
) -> None:
    page, faults = opened(browser, address, 1000, 800)
    card = page.locator("article", has_text="Front door")
    wait_until(lambda: recorded_s(address) > 4)
    card.get_by_role("button", name="Stop").click()
    expect(card).to_have_attribute("data-state", "ended")
    assert page.locator("article", has_text="Yard").get_attribute("data-state") == "connecting"
    expect(card.locator(".recordings")).to_contain_text("complete")
    with page.expect_download() as download:
        card.get_by_role("link", name="timeline.csv").click()
    assert download.value.path().read_text().startswith("frame,time_s,track,")
    with page.expect_download() as download:
        card.get_by_role("link", name="film from 0:02").click()
    assert download.value.suggested_filename == "annotated-0002.mp4"
    with page.expect_popup() as popup:
        card.get_by_role("link", name="Report").click()
    report = popup.value
    expect(report.locator("h1")).to_have_text("Front door")
    wait_until(lambda: report.evaluate("timeline.film.video.readyState") > 1)
    report.evaluate("timeline.seek(2.5)")
    wait_until(lambda: report.evaluate("timeline.film.number") == 1)
    wait_until(lambda: report.evaluate("timeline.film.video.readyState") > 1)
    assert report.evaluate("timeline.film.video.error") is None
    assert card.get_by_role("button", name="Start").is_visible()
    card.get_by_role("button", name="Start").click()
    expect(card).to_have_attribute("data-state", "live")
    assert faults == []
    report.close()
    page.close()


def recorded_s(address: str) -> float:
    return json.loads(get(f"{address}api/streams"))["streams"][0]["time_s"]


def test_figures_for_programs(address: str) -> None:
    def door() -> dict[str, Any]:
        streams = json.loads(get(f"{address}api/streams"))["streams"]
        return next(stream for stream in streams if stream["name"] == "Front door")

    wait_until(lambda: door()["frames_per_s"] > 5)
    assert door()["state"] == "live"
    metrics = get(f"{address}metrics")
    frames = re.search(r'emotion_timelines_frames_total\{stream="Front door"\} (\S+)', metrics)
    assert frames is not None
    assert float(frames[1]) > 0
    assert 'emotion_timelines_state{state="live",stream="Front door"} 1.0' in metrics
    assert "hush" not in metrics + get(f"{address}api/streams")
    assert status_of(f"{address}api/streams/nobody/picture") == 404


def test_other_sites_can_neither_read_nor_change(address: str) -> None:
    assert status_of(f"{address}api/streams", {"host": "evil.example"}) == 400
    assert status_of(f"{address}api/streams/Yard/stop", data=b"") == 403


def test_page_for_other_machines_demands_the_token(tmp_path: Path) -> None:
    source = f"tcp://127.0.0.1:{free_port()}"
    process = serving(source, "-o", tmp_path, "--set", "page.host=0.0.0.0")
    try:
        page, token = printed_address(process).split("?token=")
        assert status_of(page) == status_of(f"{page}metrics") == 401
        assert status_of(f"{page}?token=wrong") == 401
        assert status_of(f"{page}?token={token}") == 200
        assert status_of(f"{page}metrics", {"authorization": f"Bearer {token}"}) == 200
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
    assert all(token not in path.read_text() for path in tmp_path.rglob("*.json"))


def test_taken_port_is_reported(tmp_path: Path) -> None:
    with LoopbackCamera(tmp_path) as taken:
        process = serving(
            "tcp://127.0.0.1:9", "-o", tmp_path, "--set", f"page.port={taken.port}"
        )  # fmt: skip
        process.communicate(timeout=30)
    assert process.returncode == 2
