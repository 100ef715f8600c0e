"""The command line as a user runs it."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.cli import main
from pipeline.results.summary import SCHEMA

ROOT = Path(__file__).parents[2]


# A process for each command, as for a user, but one that has the program imported from the start.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["pytest", "pipeline.cli", "pipeline.run.video_batch", "pipeline.progress", "pandas"]
)


def run(*arguments: object, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    """The command, from beginning to end."""
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        process = PROCESSES.Process(
            target=_run_here, args=(words, Path.cwd(), dict(os.environ), out, errors)
        )
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, timeout_s, out.read_text(), errors.read_text())
        return subprocess.CompletedProcess(
            words, process.exitcode, out.read_text(), errors.read_text()
        )


def _run_here(
    words: list[str], folder: Path, environment: dict[str, str], out: Path, errors: Path
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, out), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["run_pipeline.py", *words]
    main()


def command(*arguments: object) -> list[str]:
    """The words to run it as a program of its own."""
    return [sys.executable, str(ROOT / "run_pipeline.py"), *map(str, arguments)]


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """The command in a session of its own, with signals as in a terminal."""

    def as_in_a_terminal() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    return subprocess.Popen(
        command(*arguments),
        text=True,
        start_new_session=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        preexec_fn=as_in_a_terminal,
    )


SUMMARY_SCHEMA = Draft202012Validator(
    json.loads((ROOT / "pipeline" / "results" / SCHEMA).read_text())
)

EXECUTORS = ("local", pytest.param("ray", marks=pytest.mark.ray))


def summary(folder: Path) -> dict[str, Any]:
    """What a summary holds, which is as its schema says."""
    facts = json.loads((folder / "summary.json").read_text())
    SUMMARY_SCHEMA.validate(facts)
    return facts


def timeline(folder: Path) -> list[dict[str, str]]:
    with (folder / "timeline.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def file_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


CODEBOOKS = {"timeline.json", "segments.json"}
RESULTS = {
    "timeline.csv",
    "segments.csv",
    "annotated.mp4",
    "report.html",
    "summary.json",
    "thumbnail.jpg",
}
RESULTS |= CODEBOOKS


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
