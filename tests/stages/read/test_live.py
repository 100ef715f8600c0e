"""Reading live streams from real servers, which stall, disappear and return."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest

from configs.schema import LiveSettings
from pipeline.bench.loopback import LoopbackCamera, make_clip, send_in_a_loop
from stages.batch import FrameBatch
from stages.read.live import LiveReader
from tests.streams import free_port, rtsp_camera, wait_until

QUICK = {"open_timeout_s": 3, "read_timeout_s": 1.5, "retry_wait_s": 0.1, "queue_frames": 30}


def read(address: str, **settings: float) -> tuple[LiveReader, list[FrameBatch]]:
    with LiveReader(address, LiveSettings(**{**QUICK, **settings})) as reader:
        return reader, [batch for batch in reader.batches() if len(batch)]


def assert_at_15_frames_a_second(batches: list[FrameBatch]) -> None:
    times_s = np.concatenate([batch.time_s for batch in batches])
    assert times_s[0] == pytest.approx(0, abs=0.1)
    assert (np.diff(times_s) > 0).all()
    assert (len(times_s) - 1) / times_s[-1] == pytest.approx(15, rel=0.1)
    numbers = [batch.first_frame for batch in batches]
    assert numbers == np.cumsum([0, *(len(batch) for batch in batches[:-1])]).tolist()


@pytest.mark.parametrize("kind", ["mpegts", "mjpeg"])
def test_network_stream(camera_clips: dict[str, Path], kind: str) -> None:
    with LoopbackCamera(camera_clips[kind], kind) as camera:
        reader, batches = read(camera.address, frames=60)
    assert sum(map(len, batches)) == 60
    assert_at_15_frames_a_second(batches)
    assert batches[0].pixels.shape[1:] == (540, 640)
    assert batches[0].pixels[:, :360].std() > 20
    arrived_s = np.concatenate([batch.arrived_s for batch in batches])
    assert abs(arrived_s[-1] - time.time()) < 5
    assert (reader.dropped, reader.lost) == (0, 0)


def test_rtsp_stream(camera_clips: dict[str, Path]) -> None:
    with rtsp_camera(camera_clips["mpegts"]) as address:
        _, batches = read(address, frames=20)
    assert_at_15_frames_a_second(batches)


@contextmanager
def sending(clip: Path, to: str, form: str, **options: str) -> Iterator[None]:
    """Send a clip in real time, in a loop, in one of FFmpeg's formats."""
    stopping = threading.Event()

    def send() -> None:
        with av.open(to, "w", form, options=options) as output:
            send_in_a_loop(clip, output, stopping)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    yield
    stopping.set()
    sender.join()


def test_udp_stream(camera_clips: dict[str, Path]) -> None:
    address = f"udp://127.0.0.1:{free_port()}"
    with sending(camera_clips["mpegts"], f"{address}?pkt_size=1316", "mpegts"):
        _, batches = read(address, frames=30)
    assert_at_15_frames_a_second(batches)


def test_hls_stream(camera_clips: dict[str, Path], tmp_path: Path) -> None:
    playlist = tmp_path / "live.m3u8"
    with (
        sending(camera_clips["mpegts"], str(playlist), "hls", hls_time="1", hls_list_size="4"),
        folder_served(tmp_path) as address,
    ):
        wait_until(playlist.exists)
        _, batches = read(f"{address}/live.m3u8", frames=45, read_timeout_s=5)
    assert sum(map(len, batches)) == 45


def test_newest_frames_win_when_the_stages_are_slow(camera_clips: dict[str, Path]) -> None:
    settings = LiveSettings(frames=12, queue_frames=2, batch_frames=2)
    with (
        LoopbackCamera(camera_clips["mpegts"]) as camera,
        LiveReader(camera.address, settings) as reader,
    ):
        lags_s, frames = [], 0
        for batch in reader.batches():
            if len(batch):
                lags_s.append(time.time() - batch.arrived_s[0])
                frames, dropped = frames + len(batch), reader.dropped
                last_s = batch.time_s[-1]
                time.sleep(0.5)
    assert max(lags_s) < 0.5
    assert frames == 12
    assert dropped == pytest.approx(last_s * 15 - frames, abs=4)


def test_stream_that_starts_late_is_lost_and_returns(camera_clips: dict[str, Path]) -> None:
    port = free_port()
    settings = LiveSettings(**{**QUICK, "longest_retry_wait_s": 0.2})
    with LiveReader(f"tcp://127.0.0.1:{port}", settings) as reader:
        batches = reader.batches()
        assert len(next(batches)) == 0
        assert reader.state == "connecting"
        seen = []
        for _ in range(2):
            with LoopbackCamera(camera_clips["mpegts"], port=port):
                for _ in range(200):
                    batch = next(batches)
                    seen += [batch] if len(batch) else []
                    if reader.state == "live" and len(seen) % 20 == 19:
                        break
            while reader.state == "live":
                batch = next(batches)
                seen += [batch] if len(batch) else []
            assert reader.state == "reconnecting"
    assert [batch.after_gap for batch in seen].count(True) == 1
    first = next(batch for batch in seen if batch.after_gap)
    gap = reader.gaps[0]
    assert gap.to_s == pytest.approx(first.time_s[0], abs=1e-3)
    assert 0 < gap.from_s < gap.to_s
    assert reader.lost == 2


def test_stream_that_changes_its_size_keeps_that_of_its_first_frame(
    samples: dict[str, Path], camera_clips: dict[str, Path], tmp_path: Path
) -> None:
    port = free_port()
    smaller = make_clip(samples["single_face.mp4"], tmp_path / "small.mp4", (320, 240), 10, 5)
    settings = LiveSettings(**{**QUICK, "longest_retry_wait_s": 0.2})
    with LiveReader(f"tcp://127.0.0.1:{port}", settings) as reader:
        batches = reader.batches()
        for clip in (camera_clips["mpegts"], smaller):
            with LoopbackCamera(clip, port=port):
                while not (reader.state == "live" and len(batch := next(batches))):
                    next(batches)
            assert batch.pixels.shape[1:] == (540, 640)
            while reader.state == "live":
                next(batches)


def test_unreachable_stream_is_given_up_after_the_attempts_that_are_set() -> None:
    started_s = time.monotonic()
    reader, batches = read(f"tcp://127.0.0.1:{free_port()}", attempts=3)
    assert batches == []
    assert reader.state == "ended"
    assert "3 failed attempt(s): Connection refused" in (reader.reason or "")
    assert time.monotonic() - started_s < 5


def test_stream_that_stalls_counts_as_lost(camera_clips: dict[str, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        reader, batches = read(address, attempts=1)
    assert batches == []
    assert reader.state == "ended"


def test_recorded_video_behind_a_url_is_refused_at_once(camera_clips: dict[str, Path]) -> None:
    with folder_served(camera_clips["mpegts"].parent) as address:
        reader, batches = read(f"{address}/{camera_clips['mpegts'].name}")
    assert batches == []
    assert "recorded video of 12 s" in (reader.reason or "")


@contextmanager
def folder_served(folder: Path) -> Iterator[str]:
    """A folder behind HTTP; gives its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_missing_camera_is_reported() -> None:
    reader, batches = read("93", attempts=1)
    assert batches == []
    assert "No such file or directory" in (reader.reason or "")
