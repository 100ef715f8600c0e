"""File systems and a browser for tests of the whole pipeline."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from configs.cache import cache_folder

AXE = "node_modules/axe-core/axe.min.js"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a table, but for no film."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=120k", "tmpfs", str(mounted)]
    if subprocess.run(options, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


@pytest.fixture
def read_only_disk(small_disk: Path) -> Path:
    """A file system that nothing can be written to."""
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    return small_disk


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("the browser chromium is not installed")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """Finds violations of the rules of accessibility, by axe-core."""
    script = cache_folder("npm") / AXE
    if not script.exists():
        pytest.skip(f"no axe-core: npm install --prefix '{script.parents[2]}' axe-core")

    def violations(page: Page) -> list[str]:
        page.evaluate(script.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")["violations"]
        return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]

    return violations
