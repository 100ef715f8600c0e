"""Pages in a real browser, without a network."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.pipeline.command import run

CLIP = "noface_face.mov"
HOSTILE = "</script><img src=x onerror=document.title=1>.mp4".replace("/", "\N{FRACTION SLASH}")

Open = Callable[..., Page]


@pytest.fixture(scope="session")
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


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a page from the disk; at the end there were neither errors nor requests elsewhere."""
    faults: list[str] = []
    contexts = []

    def opened(path: Path, size: tuple[int, int] = (1440, 900), **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(("file:", "data:"))
                or faults.append(asked.url))  # fmt: skip
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
