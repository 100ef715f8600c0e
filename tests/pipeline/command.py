"""The command line as a user runs it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "run_pipeline.py"), *map(str, arguments)]


def run(*arguments: object, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=timeout_s, check=False
    )


def summary(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_text())


def timeline(folder: Path) -> list[dict[str, str]]:
    with (folder / "timeline.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def file_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


RESULTS = {"timeline.csv", "annotated.mp4", "summary.json"}
