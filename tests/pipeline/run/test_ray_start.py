"""Where Ray cannot start, one line says why and what to do; and nothing waits for ever."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from pipeline.run import ray_start
from pipeline.run.ray_start import RayMonitor
from tests.pipeline.command import ROOT, command, processes_of, run, start
from tests.streams import wait_until


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


@pytest.mark.parametrize(
    ("environment", "limit", "reason"),
    [
        ({}, few_files, "only 64 files may be open"),
        pytest.param(
            {"TMPDIR": "LONG"}, None, "set RAY_TMPDIR to a short path", marks=pytest.mark.ray
        ),
        pytest.param(
            {"RAY_TMPDIR": "/proc/sys"}, None, "set RAY_TMPDIR to a short path",
            marks=pytest.mark.ray,
        ),
    ],
)  # fmt: skip
def test_the_reason_and_the_remedy_are_told_in_a_line(
    samples: dict[str, Path],
    tmp_path: Path,
    environment: dict[str, str],
    limit: Callable[[], None] | None,
    reason: str,
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    values = {name: str(long) if value == "LONG" else value for name, value in environment.items()}
    outcome = subprocess.run(
        command("run", samples["no_face.mp4"], "-o", tmp_path / "out"),
        env={**os.environ, **values}, preexec_fn=limit, capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
    assert outcome.returncode == 1
    said = [line for line in outcome.stderr.splitlines() if line.startswith("error:")]
    assert len(said) == 1
    assert reason in said[0]
    assert "--executor local" in said[0]
    assert "Traceback" not in outcome.stderr


def test_ray_is_not_started_where_all_is_done(
    samples: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = ("run", samples["no_face.mp4"], "-o", tmp_path, "--no-video")
    assert run(*video, "--executor", "local").returncode == 0
    monkeypatch.setenv("RAY_TMPDIR", "/proc/sys")  # Where it cannot start.
    again = run(*video)
    assert (again.returncode, "1 left as they are" in again.stdout) == (0, True), again.stderr


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_of_ray_that_dies_or_hangs_at_the_start_is_told(
    samples: dict[str, Path], tmp_path: Path, how: signal.Signals
) -> None:
    process = start("run", samples["no_face.mp4"], "-o", tmp_path, "--no-video")
    wait_until(lambda: processes_of(process.pid, "gcs_server"), timeout_s=60)
    for server in processes_of(process.pid, "gcs_server"):
        os.kill(server, how)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "--executor local" in errors
    assert "Traceback" not in errors


def test_a_refused_connection_counts_once_for_all_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []

    def refuse(*_: object, **__: object) -> None:
        time.sleep(0.3)
        asked.append(time.monotonic())
        raise ConnectionRefusedError

    monkeypatch.setattr(ray_start, "HEAD_POLL_S", 0)
    monkeypatch.setattr("socket.create_connection", refuse)
    monitor, together = RayMonitor([], "127.0.0.1:1"), Barrier(8)

    def ask(_: int) -> bool:
        together.wait()
        return monitor.has_died()

    with ThreadPoolExecutor(8) as threads:
        assert not any(threads.map(ask, range(8)))
    assert len(asked) == 1
    assert monitor.has_died()  # Refused a second time.


@pytest.mark.ray
def test_ray_starts_where_it_lacks_what_is_changed_of_its_own(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    program = (
        "import sys\n"
        "from pipeline import analyse\n"
        "from pipeline.run import ray_private\n"
        "ray_private.NODE = 'ray._private.another_node', 'Node'\n"
        "ray_private.CONSTANTS = ray_private.UTILS = ('ray._private.node', 'NotThere')\n"
        "result = analyse(sys.argv[1], out=sys.argv[2], executor='ray')\n"
        "print(result.summary['status'])\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program, samples["no_face.mp4"], tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.stdout, outcome.returncode) == ("complete\n", 0), outcome.stderr
