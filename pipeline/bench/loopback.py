"""Serve a clip on this machine as a camera would, in a loop, for benchmarks and tests."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BufferedIOBase
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import av
from av.video.frame import PictureType

from stages.frames import FALLBACK_RATE

Kind = Literal["mpegts", "mjpeg"]

BOUNDARY = "frame"
MJPEG_HEADER = (
    "HTTP/1.0 200 OK\r\n"
    f"Content-Type: multipart/x-mixed-replace;boundary={BOUNDARY}\r\n"
    "Cache-Control: no-store\r\n\r\n"
).encode()


class LoopbackCamera:
    """Sends a clip to each client in real time, in a loop; a context manager.

    Args:
        clip: H.264 for ``mpegts``, MJPEG for ``mjpeg``, as ``make_clip`` writes them.
        kind: MPEG-TS over TCP, or MJPEG over HTTP.
        port: where to listen; 0: any that is free.
    """

    def __init__(self, clip: Path, kind: Kind = "mpegts", port: int = 0) -> None:
        send = _send_mpegts if kind == "mpegts" else _send_mjpeg
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(clip, send, self._stopping))
        self.port = self._server.server_address[1]
        scheme = "tcp" if kind == "mpegts" else "http"
        self.address = f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> LoopbackCamera:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def make_clip(
    source: Path,
    path: Path,
    size: tuple[int, int],
    rate: int,
    seconds: float,
    codec: str = "libx264",
    key_s: float = 1.0,
) -> Path:
    """Encode a video as a camera would, without look-ahead, looped to a duration.

    Args:
        source: the video.
        path: the clip to write.
        size: its width and height.
        rate: its frames per second.
        seconds: its duration.
        codec: ``libx264`` or ``mjpeg``.
        key_s: time between key frames.
    """
    with av.open(str(path), "w") as clip:
        stream: Any = clip.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "tune": "zerolatency"}
            stream.options |= {"g": str(round(key_s * rate)), "sc_threshold": "0"}
        for number, frame in enumerate(islice(_at_rate(source, rate), round(seconds * rate))):
            picture = frame.reformat(*size, stream.pix_fmt)
            picture.pts, picture.time_base = number, Fraction(1, rate)
            picture.pict_type = PictureType.NONE  # Key frames are where the encoder puts them.
            clip.mux(stream.encode(picture))
        clip.mux(stream.encode(None))
    return path


def _at_rate(source: Path, rate: int) -> Iterator[av.VideoFrame]:
    """Frames of a video, resampled to a rate, in a loop."""
    while True:
        due_s = 0.0
        with av.open(str(source)) as container:
            for frame in container.decode(video=0):
                while (frame.time or 0.0) >= due_s:
                    yield frame
                    due_s += 1 / rate


def _handler(
    clip: Path,
    send: Callable[[Path, BufferedIOBase, threading.Event], None],
    stopping: threading.Event,
) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                send(clip, self.wfile, stopping)
            except (OSError, av.FFmpegError):  # The client disconnected.
                return

    return Handler


def _packets(clip: Path, stopping: threading.Event) -> Iterator[tuple[av.Packet[Any], Fraction]]:
    """Packets in a loop, each when it is due, with the seconds to add to its timestamp."""
    shift, started_s = Fraction(0), monotonic()
    while True:
        end = Fraction(0)
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            step = 1 / (stream.average_rate or FALLBACK_RATE)
            for packet in container.demux(stream):
                if packet.dts is None or packet.pts is None:
                    continue
                time = packet.pts * Fraction(packet.time_base)
                end = max(end, time + step)
                if stopping.wait(max(0.0, float(shift + time) - (monotonic() - started_s))):
                    return
                yield packet, shift
        shift += end


def _send_mpegts(clip: Path, viewer: BufferedIOBase, stopping: threading.Event) -> None:
    with av.open(viewer, "w", format="mpegts", options={"flush_packets": "1"}) as output:
        send_in_a_loop(clip, output, stopping)


def send_in_a_loop(
    clip: Path, output: av.container.OutputContainer, stopping: threading.Event
) -> None:
    """Send a clip in real time with continuous timestamps, until ``stopping`` is set."""
    with av.open(str(clip)) as template:
        stream = output.add_stream_from_template(template.streams.video[0])
        for packet, shift in _packets(clip, stopping):
            moved = round(shift / packet.time_base)
            packet.pts = (packet.pts or 0) + moved
            packet.dts = (packet.dts or 0) + moved
            packet.stream = stream
            output.mux(packet)


def _send_mjpeg(clip: Path, viewer: BufferedIOBase, stopping: threading.Event) -> None:
    viewer.write(MJPEG_HEADER)
    for packet, _ in _packets(clip, stopping):
        picture = bytes(packet)
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        viewer.write(head.encode() + picture + b"\r\n")
