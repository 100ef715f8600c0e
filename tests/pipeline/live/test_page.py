"""The page of live streams, in a real browser and as programs read it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipeline.bench.loopback import LoopbackCamera
from tests.pipeline.command import start
from tests.pipeline.live.viewers import get, opened, status_of
from tests.streams import free_port, wait_until


@pytest.fixture(scope="module")
def address(
    camera_clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A page with a live stream and one that cannot be reached."""
    folder = tmp_path_factory.mktemp("page")
    with LoopbackCamera(camera_clips["mpegts"]) as camera:
        listed = folder / "cameras.yaml"
        listed.write_text(
            f"- {{name: Front door, address: '{camera.address}'}}\n"
            f"- {{name: Yard, address: 'rtsp://me:hush@127.0.0.1:{free_port()}/x'}}\n"
        )
        process = serving(listed, "-o", folder / "out")
        yield printed_address(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130


def serving(*arguments: object) -> subprocess.Popen[str]:
    arguments = ("run", "--show", "--no-video", "--executor", "local", *arguments)
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
    shown = {picture.get_attribute("src")}
    wait_until(lambda: shown.add(picture.get_attribute("src")) or len(shown) > 4)
    size = picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert size == [640, 360]
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


def test_one_stream_stops_and_starts_while_the_other_stays(browser: Browser, address: str) -> None:
    page, faults = opened(browser, address, 1000, 800)
    card = page.locator("article", has_text="Front door")
    card.get_by_role("button", name="Stop").click()
    page.wait_for_selector("article[data-state=ended]")
    assert page.locator("article", has_text="Yard").get_attribute("data-state") == "connecting"
    card.get_by_role("button", name="Start").click()
    page.wait_for_selector("article[data-state=live]", timeout=20_000)
    assert faults == []
    page.close()


def test_figures_for_programs(address: str) -> None:
    def door() -> dict[str, object]:
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
