"""Live streams as a user analyses them: side by side, watched, interrupted, coming and going."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby, pairwise
from pathlib import Path
from threading import Thread

import av
import pytest

from configs.errors import EmotionTimelinesError
from configs.schema import Settings, VideoSettings
from pipeline import load
from pipeline.bench.loopback import LoopbackCamera, make_clip
from pipeline.live.stream import LiveStream
from pipeline.results.summary import Provenance
from pipeline.sources import Stream
from pipeline.terminal import show_log
from stages.classify import load_network
from tests.pipeline.command import (
    EXECUTORS,
    RESULTS,
    file_names,
    processes_of,
    run,
    start,
    summary,
    timeline,
)
from tests.streams import free_port, wait_until

QUICK = ("--set", "live.retry_wait_s=0.2", "--set", "live.longest_retry_wait_s=0.5")


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = start("run", *arguments, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def rows_in(folder: Path) -> int:
    table = folder / "timeline.csv"
    return len(timeline(folder)) if table.exists() else 0


def has_more_rows(folder: Path, rows: int) -> bool:
    return rows_in(folder) > rows


def frames_of(film: Path) -> int:
    with av.open(str(film)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("executor", EXECUTORS)
def test_two_streams_side_by_side_until_a_set_number_of_frames(
    camera_clips: dict[str, Path], tmp_path: Path, executor: str
) -> None:
    with (
        LoopbackCamera(camera_clips["mpegts"]) as first,
        LoopbackCamera(camera_clips["mjpeg"], "mjpeg") as second,
    ):
        sources = (first.address, second.address)
        outcome = run("run", *sources, "-o", tmp_path, "--frames", 45, "--executor", executor)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    folders = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    assert len(folders) == 2
    assert load(tmp_path, "people").video.tolist() == [folder.name for folder in folders]
    assert (tmp_path / "videos.csv").read_text().count("complete") == 2
    for folder in folders:
        made = summary(folder)
        assert (made["status"], made["frames"], made["tracks"]) == ("complete", 45, 1)
        rows = timeline(folder)
        assert [int(row["frame"]) for row in rows] == list(range(45))
        taken = 44 + made["dropped"]  # Some are dropped where the machine is busy.
        assert float(rows[-1]["time_s"]) > 0.8 * taken / 15
        assert frames_of(folder / "annotated-0001.mp4") == 45
        began = datetime.fromisoformat(made["live"]["started_at"])
        assert timedelta(0) < datetime.now(UTC) - began < timedelta(minutes=4)
        assert 0 < made["live"]["latency_p50_ms"] < 2000


def test_table_grows_where_it_can_be_read_and_interruption_completes_every_file(
    camera_clips: dict[str, Path], tmp_path: Path
) -> None:
    with LoopbackCamera(camera_clips["mpegts"]) as camera:
        pieces = ("--set", "live.piece_s=2", "--set", "live.keep_pieces=2")
        sources = (camera.address, "-o", tmp_path, "--executor", "local", *pieces)
        with running(*sources) as process:
            folder = tmp_path / f"127.0.0.1-{camera.port}"
            wait_until(lambda: rows_in(folder) > 10)
            before = rows_in(folder)
            wait_until(lambda: rows_in(folder) > before, timeout_s=2)
            wait_until(lambda: (folder / "annotated-0003.mp4").exists())
            assert frames_of(folder / "annotated-0003.mp4") == pytest.approx(30, abs=6)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "every file is complete" in said
    made = summary(folder)
    assert made["status"] == "complete"
    assert made["frames"] == len(timeline(folder))
    films = sorted(name for name in file_names(folder) if name.startswith("annotated"))
    assert len(films) == 2
    assert all(frames_of(folder / name) for name in films)
    assert file_names(folder) == {*films, *RESULTS} - {"annotated.mp4"}


def test_lost_stream_comes_back_with_the_same_people_while_the_other_goes_on(
    samples: dict[str, Path], camera_clips: dict[str, Path], tmp_path: Path
) -> None:
    first = camera_clips["mpegts"]
    second = make_clip(
        samples["WolfgangLanger_Pexels.mp4"], tmp_path / "second.mp4", (640, 360), 15, 6
    )
    port = free_port()
    listed = tmp_path / "cameras.yaml"
    with LoopbackCamera(camera_clips["mpegts"]) as steady:
        listed.write_text(
            f"- {{name: steady, address: '{steady.address}'}}\n"
            f"- {{name: restless, address: 'tcp://127.0.0.1:{port}'}}\n"
        )
        out = tmp_path / "out"
        with running(listed, "-o", out, "--executor", "local", "--no-video", *QUICK) as process:
            wait_until(lambda: rows_in(out / "steady") > 5)
            for clip in (first, second, first, second):
                before = rows_in(out / "restless")
                with LoopbackCamera(clip, port=port):
                    wait_until(partial(has_more_rows, out / "restless", before + 20))
                time.sleep(1)  # The supervisor looks twice a second.
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=30)
    assert "restless: connecting: Connection refused" in said
    assert "restless: reconnecting" in said
    made = summary(out / "restless")
    gap, *later = made["live"]["gaps"]
    rows = timeline(out / "restless")
    around = [float(row["time_s"]) for row in rows]
    away_s = sum(each["to_s"] - each["from_s"] for each in (gap, *later[:2]))
    seen_s = sum(person["face_s"] for person in made["people"])
    assert 0 < seen_s <= around[-1] - away_s + 0.2
    following = around.index(min(time for time in around if time >= gap["to_s"] - 1e-3))
    assert around[following] - around[following - 1] > 0.15
    ids = [row["track"] for row in rows if row["track"]]
    assert [person for person, _ in groupby(ids)] == ["1", "2", "1", "2"]
    assert made["status"] == "complete"
    steady_times_s = [float(row["time_s"]) for row in timeline(out / "steady")]
    assert max(b - a for a, b in pairwise(steady_times_s)) < 1.0
    assert summary(out / "steady")["live"]["lost"] == 0


def upright(source: Path, path: Path) -> Path:
    """The middle of a video, as a camera held upright would show it."""
    with av.open(str(source)) as video, av.open(str(path), "w") as cut:
        stream = cut.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 188, 336, "yuv420p"
        for frame in video.decode(video=0):
            middle = frame.to_ndarray(format="rgb24")[:, 196:384]
            cut.mux(stream.encode(av.VideoFrame.from_ndarray(middle, format="rgb24")))
        cut.mux(stream.encode(None))
    return path


def test_camera_that_returns_upright_has_its_faces_and_a_film_of_its_size(
    camera_clips: dict[str, Path], samples: dict[str, Path], tmp_path: Path
) -> None:
    port, out = free_port(), tmp_path / "out"
    narrow = upright(samples["single_face.mp4"], tmp_path / "narrow.mp4")
    turned = make_clip(narrow, tmp_path / "turned.mp4", (360, 640), 15, 12)
    address = f"tcp://127.0.0.1:{port}"
    with running(address, "-o", out, "--executor", "local", *QUICK) as process:
        folder = out / f"127.0.0.1-{port}"
        for clip in (camera_clips["mpegts"], turned):
            before = rows_in(folder)
            with LoopbackCamera(clip, port=port):
                wait_until(partial(has_more_rows, folder, before + 45))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    made, rows = summary(folder), timeline(folder)
    assert made["status"] == "complete"
    first, second = made["live"]["sizes"]
    assert (first["from_s"], first["width"], first["height"]) == (0, 640, 360)
    assert (second["width"], second["height"]) == (360, 640)
    after = [row for row in rows if float(row["time_s"]) >= second["from_s"]]
    faces = [row for row in after if row["track"]]
    assert len(faces) > 0.7 * len(after) > 20
    # Twice as large as in the other picture, and not stretched.
    assert float(faces[-1]["height"]) == pytest.approx(1.45 * float(faces[-1]["width"]), rel=0.15)
    assert float(faces[-1]["height"]) > 300
    for number, frames in ((1, len(rows) - len(after)), (2, len(after))):
        film = folder / f"annotated-{number:04d}.mp4"
        assert frames_of(film) == frames
        with av.open(str(film)) as container:
            size = container.streams.video[0].width, container.streams.video[0].height
        assert size == ((640, 360), (360, 640))[number - 1]


def test_stream_without_a_picture_says_for_how_long_it_waited(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        outcome = run("run", address, "-o", tmp_path, "--executor", "local", "--duration", 2)
    assert outcome.returncode == 1
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert summary(folder)["reason"] == "no picture came within 2 s"


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize(
    ("harm", "reason"), [(signal.SIGKILL, "died"), (signal.SIGSTOP, "no progress for 15 s")]
)
def test_stream_whose_worker_dies_or_hangs_gets_a_new_recording(
    camera_clips: dict[str, Path], tmp_path: Path, harm: signal.Signals, reason: str
) -> None:
    patience = ("--set", "executor.stall_timeout_s=15")
    with LoopbackCamera(camera_clips["mpegts"]) as camera:
        folder = tmp_path / f"127.0.0.1-{camera.port}"
        with running(camera.address, "-o", tmp_path, "--no-video", *patience) as process:
            wait_until(lambda: rows_in(folder) > 10, timeout_s=90)
            (actor,) = processes_of(process.pid, "ray::LiveStream")
            os.kill(actor, harm)
            wait_until((folder / "summary.json").exists, timeout_s=60)
            second = folder.with_name(f"{folder.name}-2")
            wait_until(lambda: rows_in(second) > 10, timeout_s=90)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert summary(folder)["status"] == "partial"
    assert reason in summary(folder)["reason"]
    assert summary(second)["status"] == "complete"


def test_secrets_are_in_no_file_no_name_and_no_message(tmp_path: Path) -> None:
    here = f"127.0.0.1:{free_port()}"
    with refusing_server() as server:
        addresses = (
            f"rtsp://admin:a@bHUSH@{here}/door?token=HUSH",
            f"rtsp://admin:p/HUSH x@{here}/x",
            f"rtsp://{here}/user=admin_password=HUSH_channel=1_stream=0.sdp",
            f"http://HUSH@{server}/video;pwd=HUSH?psw=HUSH",
            f"http://{server}/HUSH/live.m3u8?sig=HUSH",
        )
        limit = ("--set", "live.attempts=2", "--set", "live.retry_wait_s=0.1", "--show")
        token = ("--set", "page.host=0.0.0.0", "--set=page.token=QUIET")
        options = ("-o", tmp_path, "--executor", "local", "--verbose", *limit, *token)
        outcome = run("run", *addresses, *options)
    assert outcome.returncode == 1
    printed, _, said = outcome.stdout.partition("\n")
    assert printed.endswith("?token=QUIET")
    folders = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    refused, denied = here.replace(":", "-"), server.replace(":", "-")
    wanted = [refused, f"{refused}-door", f"{refused}-x", denied, f"{denied}-2"]
    assert folders == sorted(wanted)
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    for text in (said, outcome.stderr, *folders, *written):
        assert "HUSH" not in text
        assert "QUIET" not in text
    made = summary(tmp_path / f"{refused}-door")
    assert (made["status"], made["source"]) == ("failed", f"rtsp://***@{here}/door?***")
    assert "given up after 2 failed attempt(s): Connection refused" in made["reason"]
    assert "403 Forbidden" in summary(tmp_path / denied)["reason"]
    assert f"'rtsp://***@{here}/door?***'" in made["command"]


@contextmanager
def refusing_server() -> Iterator[str]:
    """An HTTP server that lets nobody in; gives its host and port."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(403)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_unexpected_error_tells_nothing_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "rtsp://admin:a HUSH@cam/door"

    def fail(*_: object) -> None:
        raise RuntimeError(f"cannot open '{address}' or http://cam/x?k=HUSH")

    monkeypatch.setattr("pipeline.live.stream.LiveReader", fail)
    settings = Settings(video=VideoSettings(enabled=False))
    stream = Stream("door", address, settings, tmp_path / "door")
    log = logging.getLogger()
    before = log.handlers[:], log.level
    log.handlers.clear()
    try:
        show_log([address])
        with pytest.raises(EmotionTimelinesError) as caught:
            LiveStream(stream, Provenance.of(settings, [load_network(settings)])).run()
    finally:
        log.handlers[:], log.level = before
    told = "cannot open 'rtsp://***@cam/door' or http://cam/x?***"
    assert told in str(caught.value)
    assert told in summary(tmp_path / "door")["reason"]
    logged = capsys.readouterr().err
    assert "Traceback" in logged
    assert "rtsp://***@cam/door" in logged
    for text in (logged, (tmp_path / "door" / "summary.json").read_text()):
        assert "HUSH" not in text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("0", "samples"), "files and live streams need a command each"),
        (("rtsp://me:hush@cam", "--duration", "inf"), "live.duration_s: inf is wrong"),
        (("file:///clips/a.mp4",), "a file is given by its path"),
        (("samples", "--show"), "--show is for cameras"),
        (("samples", "--duration", "5"), "--duration is for cameras"),
        (("samples", "--frames", "5"), "--frames is for cameras"),
        (("0", "--from", "5"), "read.from_s is for recorded videos"),
        (("0", "--set", "read.every=2"), "read.every is for recorded videos"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: tuple[str, ...], problem: str) -> None:
    outcome = run("run", *arguments)
    assert outcome.returncode == 2
    assert problem in outcome.stderr
