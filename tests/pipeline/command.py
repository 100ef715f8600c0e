"""The command line as a user runs it."""

from __future__ import annotations

import csv
import json
import signal
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


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """The command in a session of its own, with Ctrl-C working as in a terminal."""
    return subprocess.Popen(
        command(*arguments),
        text=True,
        start_new_session=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def summary(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_text())


def timeline(folder: Path) -> list[dict[str, str]]:
    with (folder / "timeline.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def file_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


RESULTS = {"timeline.csv", "segments.csv", "annotated.mp4", "report.html", "summary.json"}


def processes_of(session: int, name: str) -> list[int]:
    """Processes that a command started, by name."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes().decode(errors="replace")
            if name in title and session in _ancestors(int(folder.name)):
                found.append(int(folder.name))
        except (OSError, ValueError):
            continue
    return found


def _ancestors(process: int) -> list[int]:
    ancestors = []
    while process > 1:
        process = int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
        ancestors.append(process)
    return ancestors
