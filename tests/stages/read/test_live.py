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
from typing import BinaryIO

import av
import cv2
import numpy as np
import pytest

from configs.schema import LiveSettings
from pipeline.bench.loopback import LoopbackCamera, make_clip, send_in_a_loop
from stages.batch import FrameBatch
from stages.read import connect
from stages.read.live import LiveReader
from tests.stages.clips import read_all
from tests.streams import free_port, http_camera, rtsp_camera, sender, stalled, wait_until

QUICK = {"open_timeout_s": 3, "read_timeout_s": 1.5, "retry_wait_s": 0.1, "queue_frames": 30}


def read(address: str, **settings: float) -> tuple[LiveReader, list[FrameBatch]]:
    with LiveReader(address, LiveSettings(**{**QUICK, "duration_s": 20, **settings})) as reader:
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


def times_of(batches: list[FrameBatch]) -> np.ndarray:
    return np.concatenate([batch.time_s for batch in batches])


def assert_as_taken(batches: list[FrameBatch], frames: int) -> None:
    """All frames are there, as far apart as they were taken."""
    assert np.diff(times_of(batches)) == pytest.approx(1 / 15, rel=0.01)
    assert len(times_of(batches)) == frames


@pytest.fixture(scope="module")
def one_key(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip whose first frame is its only key frame, at 15 frames/s."""
    path = tmp_path_factory.mktemp("one_key") / "camera.mp4"
    return make_clip(samples["single_face.mp4"], path, (320, 180), 15, 10, key_s=10)


def test_rtsp_stream(one_key: Path) -> None:
    with rtsp_camera(one_key) as address:
        started_s = time.monotonic()
        _, batches = read(address, frames=20)
    assert_at_15_frames_a_second(batches)
    assert time.monotonic() - started_s < 6


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("mpegts", {"flush_packets": "1"}),
        ("mp4", {"movflags": "empty_moov+default_base_moof", "frag_duration": "500000"}),
    ],
)
def test_first_frame_of_an_http_stream_is_the_first_that_came(
    one_key: Path, form: str, options: dict[str, str]
) -> None:
    with http_camera(sender(one_key, form, **options)) as address:
        reader, batches = read(address, frames=45, queue_frames=8)
    assert_as_taken(batches, 45)
    first = read_all(one_key)[0].pixels[0]
    assert np.abs(batches[0].pixels[0].astype(int) - first).mean() < 1
    assert (reader.dropped, reader.lost) == (0, 0)


@pytest.mark.parametrize("name", ["still.jpg", "still.png"])
def test_still_picture_is_fetched_again_and_again(
    camera_clips: dict[str, Path], tmp_path: Path, name: str
) -> None:
    with av.open(str(camera_clips["mpegts"])) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="bgr24")
    cv2.imwrite(str(tmp_path / name), picture)
    whole = (tmp_path / name).read_bytes()
    with (
        folder_served(tmp_path) as folder,
        http_camera(lambda connection: connection.write(whole)) as script,
    ):
        for address in (f"{folder}/{name}", script):
            reader, batches = read(address, frames=4)
            assert np.diff(times_of(batches)) == pytest.approx(0.5, abs=0.2)
            assert (reader.lost, list(reader.gaps)) == (0, [])
            assert batches[-1].pixels.shape[1:] == (540, 640)


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


def test_hls_stream_comes_in_segments_none_of_which_is_lost(
    camera_clips: dict[str, Path], tmp_path: Path
) -> None:
    playlist = tmp_path / "live.m3u8"
    with (
        sending(camera_clips["mpegts"], str(playlist), "hls", hls_time="2", hls_list_size="4"),
        folder_served(tmp_path) as address,
    ):
        wait_until(playlist.exists)
        # Segments are further apart than the time-out.
        limits = {"read_timeout_s": 0.3, "queue_frames": 8}
        reader, batches = read(f"{address}/live.m3u8", frames=90, **limits)
    assert_as_taken(batches, 90)
    assert (reader.dropped, reader.lost) == (0, 0)


def test_stall_moves_no_frame(camera_clips: dict[str, Path]) -> None:
    send = sender(camera_clips["mpegts"], "mpegts", stalled(1, 4), flush_packets="1")
    with http_camera(send) as address:
        reader, batches = read(address, frames=75, read_timeout_s=5, queue_frames=8)
    assert_as_taken(batches, 75)
    assert (reader.dropped, list(reader.gaps)) == (0, [])


def test_frames_without_timestamps_are_half_a_frame_apart_after_a_stall(
    camera_clips: dict[str, Path],
) -> None:
    with http_camera(sender(camera_clips["mjpeg"], "mpjpeg", stalled(1, 3))) as address:
        reader, batches = read(address, frames=60, read_timeout_s=5, queue_frames=8)
    steps_s = np.diff(times_of(batches))
    assert steps_s.min() >= 1 / 30
    assert len(steps_s) == 59
    assert (reader.dropped, reader.lost) == (0, 0)
    (gap,) = reader.gaps
    assert (gap.from_s, gap.to_s) == pytest.approx((1, 3), abs=0.2)
    assert gap.reason == f"no picture came for {gap.to_s - gap.from_s:.1f} s"


def test_timestamps_that_begin_anew_go_on(samples: dict[str, Path], tmp_path: Path) -> None:
    clip = make_clip(samples["single_face.mp4"], tmp_path / "camera.mp4", (320, 180), 15, 2)
    send = sender(clip, "mpegts", flush_packets="1")

    def send_twice(connection: BinaryIO) -> None:
        send(connection)
        send(connection)

    with http_camera(send_twice) as address:
        _, batches = read(address, frames=55, queue_frames=8)
    steps_s = np.diff(times_of(batches))
    assert (len(steps_s), times_of(batches)[-1]) == (54, pytest.approx(54 / 15, abs=0.3))
    assert 1 / 30 <= steps_s.min() <= steps_s.max() < 0.5


@pytest.mark.parametrize("queue_frames", [8, 60])
def test_newest_frames_win_when_the_stages_are_slow(
    camera_clips: dict[str, Path], queue_frames: int
) -> None:
    settings = LiveSettings(duration_s=5, queue_frames=queue_frames)
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
                time.sleep(0.3 * len(batch))
    assert max(lags_s) < 0.5
    assert np.median(lags_s) < 0.1
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


def test_picture_of_another_size_is_a_part_of_its_own(
    samples: dict[str, Path], camera_clips: dict[str, Path], tmp_path: Path
) -> None:
    port = free_port()
    upright = make_clip(samples["single_face.mp4"], tmp_path / "upright.mp4", (240, 320), 10, 5)
    settings = LiveSettings(**{**QUICK, "longest_retry_wait_s": 0.2})
    seen: list[FrameBatch] = []
    with LiveReader(f"tcp://127.0.0.1:{port}", settings) as reader:
        batches = reader.batches()
        for clip in (camera_clips["mpegts"], upright):
            with LoopbackCamera(clip, port=port):
                while not (reader.state == "live" and len(seen[-1:] and seen[-1]) > 0):
                    seen.append(next(batches))
                seen += [next(batches) for _ in range(5)]
            while reader.state == "live":
                seen.append(next(batches))
    marks = [batch for batch in seen if batch.info]
    assert [(mark.info.width, mark.info.height) for mark in marks if mark.info] == [
        (640, 360),
        (240, 320),
    ]
    assert [mark.after_gap for mark in marks] == [False, True]
    assert [mark.pixels.shape[1:] for mark in marks] == [(540, 640), (480, 240)]


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
        reader, batches = read(address, attempts=1, open_timeout_s=1)
    assert batches == []
    assert reader.reason == "given up after 1 failed attempt(s): no answer within 1 s"
    with http_camera(sender(camera_clips["mpegts"], "mpegts", stalled(2, 12))) as address:
        reader, batches = read(address, attempts=1)
    assert len(times_of(batches)) == pytest.approx(30, abs=10)
    assert [gap.reason for gap in reader.gaps] == ["nothing came for 1.5 s"]


def test_camera_of_this_machine(
    camera_clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg's virtual device stands in for a camera, by the same way in."""
    graph = f"movie=filename={camera_clips['mpegts']}:loop=0,setpts=N/15/TB,realtime"
    monkeypatch.setattr(connect, "device_of", lambda address: (graph, "lavfi"))
    reader, batches = read("0", frames=45, queue_frames=8)
    assert_as_taken(batches, 45)
    assert (reader.dropped, reader.lost) == (0, 0)
    assert (
        np.abs(
            batches[0].pixels[0].astype(int) - read_all(camera_clips["mpegts"])[0].pixels[0]
        ).mean()
        < 4
    )


VIRTUAL_CAMERAS = [
    f"/dev/{driver.parent.name}"
    for driver in Path("/sys/class/video4linux").glob("*/name")
    if driver.read_text().startswith("vivid-000-vid-cap")
]


@pytest.mark.skipif(not VIRTUAL_CAMERAS, reason="the kernel has no virtual camera (vivid)")
def test_virtual_camera_of_the_kernel() -> None:
    reader, batches = read(VIRTUAL_CAMERAS[0], frames=20)
    assert len(times_of(batches)) == 20
    assert (np.diff(times_of(batches)) > 0).all()
    assert reader.lost == 0


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
