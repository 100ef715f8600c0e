"""Live streams on this machine, from real servers."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"

RTSP_SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
if len(sys.argv) > 1:
    Gst.init(None)
    server = GstRtspServer.RTSPServer(service=sys.argv[1], address="127.0.0.1")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( filesrc location={sys.argv[2]} ! qtdemux ! rtph264pay name=pay0 pt=96 )")
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def rtsp_camera(clip: Path) -> Iterator[str]:
    """GStreamer's RTSP server, which sends a clip to each client; gives its address."""
    probe = [SYSTEM_PYTHON, "-c", RTSP_SERVER]
    if (
        not Path(SYSTEM_PYTHON).exists()
        or subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        pytest.skip("GStreamer's RTSP server (gir1.2-gst-rtsp-server-1.0) is not installed")
    port = free_port()
    server = subprocess.Popen([*probe, str(port), str(clip)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "ready"
        yield f"rtsp://127.0.0.1:{port}/camera"
    finally:
        server.kill()
        server.wait()


def wait_until(condition: Callable[[], object], timeout_s: float = 90) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.05)
