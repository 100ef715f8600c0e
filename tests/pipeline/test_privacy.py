"""Nothing leaves the machine: no host is looked up, and no library keeps its own files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.command import EXECUTORS, ROOT, command

RECORD_LOOK_UPS = """
import os, socket, sys

def record(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = str(arguments[0])
        if host not in ("None", "localhost", "127.0.0.1", "::1", "0.0.0.0", socket.gethostname()):
            with open(os.environ["LOOK_UPS"], "a") as lines:
                lines.write(f"{host} by {sys.argv}\\n")

sys.addaudithook(record)
"""
"""Run by every Python process at its start."""

AS_LIBRARY = """
from stages.faces.yunet import YuNet
import numpy as np
YuNet(0.6).find(np.zeros((128, 128, 3), np.uint8))
"""


@pytest.mark.parametrize("use", ["library", *EXECUTORS])
def test_nothing_is_looked_up_or_left_in_the_home(
    samples: dict[str, Path], tmp_path: Path, use: str
) -> None:
    home, hooks, look_ups = tmp_path / "home", tmp_path / "hooks", tmp_path / "look-ups"
    home.mkdir()
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(RECORD_LOOK_UPS)
    unset = ("ORT_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED", "RAY_AUTH_TOKEN")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {
        "HOME": str(home), "PYTHONPATH": f"{hooks}:{ROOT}", "LOOK_UPS": str(look_ups),
    }  # fmt: skip
    arguments = ["run", samples["no_face.mp4"], "-o", tmp_path / "out", "--no-video"]
    asked = (
        [sys.executable, "-c", AS_LIBRARY]
        if use == "library"
        else command(*arguments, "--executor", use)
    )
    outcome = subprocess.run(
        asked, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    assert [str(path.relative_to(home)) for path in home.rglob("*")] == []
    assert not look_ups.exists(), look_ups.read_text()
