"""Live streams on this machine, from real servers."""

from __future__ import annotations

import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import av
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


class Viewer:
    """What FFmpeg writes to: the connection of one client."""

    def __init__(self, connection: BinaryIO) -> None:
        self._connection = connection

    def write(self, part: bytes) -> int:
        self._connection.write(part)
        return len(part)


@contextmanager
def http_camera(send: Callable[[BinaryIO], None], head: str = "") -> Iterator[str]:
    """A server that answers every request with what ``send`` writes; gives its address."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(f"HTTP/1.0 200 OK\r\n{head}\r\n".encode())
            # The client may leave at any time.
            with suppress(OSError, av.FFmpegError):
                send(self.wfile)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/live"
        server.shutdown()


def sender(
    clip: Path,
    form: str,
    due_s: Callable[[float], float] = float,
    stamp_s: Callable[[float], float] = float,
    **options: str,
) -> Callable[[BinaryIO], None]:
    """Sends a clip once, in one of FFmpeg's formats, for ``http_camera``.

    Args:
        due_s: when a packet is sent, by its time in the clip.
        stamp_s: its timestamp, by the same.
    """

    def send(connection: BinaryIO) -> None:
        started_s = time.monotonic()
        with (
            av.open(Viewer(connection), "w", form, options=options) as output,
            av.open(str(clip)) as source,
        ):
            stream = output.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.pts is None:
                    continue
                at_s = float(packet.pts * packet.time_base)
                time.sleep(max(0.0, due_s(at_s) - (time.monotonic() - started_s)))
                packet.pts = packet.dts = round(stamp_s(at_s) / packet.time_base)
                packet.stream = stream
                output.mux(packet)

    return send


def stalled(from_s: float, to_s: float) -> Callable[[float], float]:
    """Nothing is sent in between; then all of it at once."""
    return lambda at_s: to_s if from_s <= at_s < to_s else at_s


def wait_until(condition: Callable[[], object], timeout_s: float = 90) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.05)
