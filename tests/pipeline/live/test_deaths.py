"""No thread dies unseen, and none is missed for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import pytest
import uvicorn

from configs.errors import EmotionTimelinesError
from configs.load import load_settings
from configs.schema import PageSettings, Settings
from pipeline.bench.loopback import LoopbackCamera
from pipeline.live.page import page_served
from pipeline.live.supervisor import Supervisor
from pipeline.live.workers import ThreadWorker
from pipeline.results.recorder import Recorder
from pipeline.results.summary import Provenance
from pipeline.sources import Stream
from pipeline.terminal import deaths_of_threads_reported
from stages.classify import load_network
from stages.frames import copy_upright
from stages.read import live
from tests.pipeline.command import summary, timeline
from tests.pipeline.live.viewers import status_of
from tests.streams import free_port, wait_until


@pytest.fixture(scope="module")
def provenance() -> Provenance:
    return Provenance.of(Settings(), [load_network(Settings())])


def failing_once(method: Any, error: BaseException, after: int = 0) -> Any:
    """The method, which raises an error once, after so many calls."""
    calls = iter(range(10**9))

    def fail_or_do(*arguments: Any, **options: Any) -> Any:
        if next(calls) == after:
            raise error
        return method(*arguments, **options)

    return fail_or_do


@contextmanager
def watched(address: str, out: Path, provenance: Provenance) -> Iterator[list[str]]:
    """A supervisor of a stream called door; gives what it says."""
    settings = load_settings(assignments=["live.retry_wait_s=0.1", "video.enabled=false"])
    said: list[str] = []
    stream = Stream("door", address, settings, out / "door")
    supervisor, stop = Supervisor([stream], provenance, ThreadWorker, said.append), Event()
    running = Thread(target=supervisor.run, args=(stop,))
    running.start()
    yield said
    stop.set()
    running.join()


def rows_in(folder: Path) -> int:
    return len(timeline(folder)) if (folder / "timeline.csv").exists() else 0


@pytest.mark.parametrize("error", [RuntimeError("of its own kind"), SystemExit("of its own kind")])
def test_a_stream_broken_off_by_an_error_is_told_and_recorded_anew(
    camera_clips: dict[str, Path],
    tmp_path: Path,
    provenance: Provenance,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    process = failing_once(Recorder.process, error, after=10)
    monkeypatch.setattr(Recorder, "process", process)
    with (
        LoopbackCamera(camera_clips["mpegts"]) as camera,
        watched(camera.address, tmp_path, provenance) as said,
    ):
        wait_until(lambda: rows_in(tmp_path / "door-2") > 3)
    assert any(line.startswith("door: ended: ") and "of its own kind" in line for line in said)
    first, second = (summary(tmp_path / name) for name in ("door", "door-2"))
    assert (first["status"], second["status"]) == ("partial", "complete")
    assert "of its own kind" in first["reason"]
    assert first["frames"] == rows_in(tmp_path / "door") > 0


def test_an_unforeseen_error_of_the_receiver_is_told_and_the_stream_tried_again(
    camera_clips: dict[str, Path],
    tmp_path: Path,
    provenance: Provenance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = failing_once(copy_upright, IndexError("of its own kind"), after=20)
    monkeypatch.setattr(live, "copy_upright", copy)
    with (
        LoopbackCamera(camera_clips["mpegts"]) as camera,
        watched(camera.address, tmp_path, provenance),
    ):
        wait_until(lambda: rows_in(tmp_path / "door") > 25)
    facts = summary(tmp_path / "door")
    assert (facts["status"], facts["live"]["lost"]) == ("complete", 1)
    assert "IndexError: of its own kind" in facts["live"]["gaps"][0]["reason"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", ["died", "hangs"])
def test_a_receiver_that_dies_or_hangs_is_noticed(
    tmp_path: Path, provenance: Provenance, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    released = Event()

    def receive(*_: object) -> Iterator[object]:
        if kind == "died":
            raise SystemExit
        released.wait(60)
        yield from ()

    monkeypatch.setattr(live, "live_frames", receive)
    monkeypatch.setattr(live, "HANGING_S", 0.5 - 2 * 10 - 5 - 30)
    with watched("tcp://127.0.0.1:9", tmp_path, provenance) as said:
        wait_until(lambda: f"door: ended: the thread that receives the stream {kind}" in said)
        released.set()


def test_a_page_whose_server_dies_is_told_and_served_again(monkeypatch: pytest.MonkeyPatch) -> None:
    on_tick = failing_once(uvicorn.Server.on_tick, RuntimeError("of its own kind"), after=5)
    monkeypatch.setattr(uvicorn.Server, "on_tick", on_tick)
    said: list[str] = []
    nothing = cast(Supervisor, object())
    with page_served(nothing, PageSettings(), said.append) as address:
        wait_until(lambda: said)
        assert "the page is not served: internal error" in said[0]
        assert "of its own kind" in said[0]
        assert status_of(address) == 200
    assert len(said) == 1


def test_a_page_that_is_never_served_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.live.page_server.START_TIMEOUT_S", 0.5)
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_: None)
    with (
        pytest.raises(EmotionTimelinesError, match="the page is not served"),
        page_served(cast(Supervisor, object()), PageSettings(port=free_port())),
    ):
        raise AssertionError("it was served")


def test_the_death_of_any_other_thread_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with deaths_of_threads_reported():
        thread = Thread(target={}.__getitem__, args=["missing"], name="refresh")
        thread.start()
        thread.join()
    said = capfd.readouterr().err
    assert "error: refresh ended: internal error" in said
    assert "Traceback" not in said
