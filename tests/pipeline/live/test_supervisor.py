"""A stream that ends, dies, hangs or is stopped is noticed, and disturbs no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from configs.errors import EmotionTimelinesError, OutputError, UsageError
from configs.load import load_settings
from configs.schema import Settings
from pipeline.bench.loopback import LoopbackCamera
from pipeline.live import supervisor as supervision
from pipeline.live.stream import StreamStatus
from pipeline.live.supervisor import STOP_TIMEOUT_S, Supervisor
from pipeline.live.workers import ThreadWorker
from pipeline.results.summary import Provenance, Summary
from pipeline.sources import Stream
from stages.classify import load_network
from tests.pipeline.command import summary, timeline
from tests.streams import free_port

STALL_S = 20.0

TABLE = "frame,time_s,track\n0,0.0,\n1,0.5,1\n1,0.5,2\n2,1.0,1\n3,1."
"""Its last row is torn, as its writer died."""


class ScriptedWorker:
    """Stands in for a thread or an actor, and does as a test says."""

    def __init__(self, stream: Stream, provenance: Provenance) -> None:
        self.stream = stream
        self.idle_s = 0.0
        self.problem: str | None = None
        self.obeys = True
        self.killed = False
        self.ended: Summary | None = None
        stream.folder.mkdir(exist_ok=True)
        (stream.folder / "timeline.csv").write_text(TABLE)

    def status(self) -> StreamStatus:
        return self._if_alive(
            StreamStatus(self.stream.name, self.stream.source, "live", idle_s=self.idle_s)
        )

    def picture(self, width_px: int | None) -> bytes | None:
        return self._if_alive(b"picture")

    def face(self, track: int) -> bytes | None:
        return self._if_alive(f"face {track}".encode())

    def recent(self, since_s: float) -> dict[str, Any]:
        return self._if_alive({"until_s": since_s + 1})

    def result(self) -> Summary | None:
        return self._if_alive(self.ended)

    def stop(self) -> None:
        if self._if_alive(self.obeys):
            self.end()

    def kill(self) -> None:
        self.killed = True

    def end(self) -> None:
        self.ended = Summary(source=self.stream.source, status="complete")

    def _if_alive(self, answer: Any) -> Any:
        if self.problem:
            raise EmotionTimelinesError(self.problem)
        return answer


class Clock(Event):
    """Time that passes while the supervisor waits. What is due is done then; at the end, the
    supervisor is asked to stop."""

    def __init__(self, end_s: float) -> None:
        super().__init__()
        self.now_s = 1000.0
        self._due: list[tuple[float, Callable[[], object]]] = [(self.now_s + end_s, self.set)]

    def at(self, time_s: float, action: Callable[[], object]) -> None:
        self._due.append((1000.0 + time_s, action))

    def wait(self, timeout: float | None = None) -> bool:
        self.now_s += timeout or 0.0
        due = [action for at_s, action in self._due if at_s <= self.now_s]
        self._due = [entry for entry in self._due if entry[0] > self.now_s]
        for action in due:
            action()
        return self.is_set()

    @property
    def passed_s(self) -> float:
        return self.now_s - 1000.0


class Watched:
    """A supervisor of scripted workers, with all that it started and said."""

    def __init__(
        self,
        folder: Path,
        provenance: Provenance,
        clock: Clock,
        names: tuple[str, ...],
        limits: Sequence[str] = (),
    ) -> None:
        self.clock = clock
        self.workers: dict[str, list[ScriptedWorker]] = {name: [] for name in names}
        self.started_s: dict[str, list[float]] = {name: [] for name in names}
        self.said: list[str] = []
        self.on_start: Callable[[ScriptedWorker], object] = lambda worker: None
        settings = load_settings(assignments=[f"executor.stall_timeout_s={STALL_S}", *limits])
        streams = [Stream(name, f"tcp://{name}:1", settings, folder / name) for name in names]
        self.supervisor = Supervisor(streams, provenance, self._start, self.said.append)

    def _start(self, stream: Stream, provenance: Provenance) -> ScriptedWorker:
        worker = ScriptedWorker(stream, provenance)
        self.workers[stream.name].append(worker)
        self.started_s[stream.name].append(self.clock.passed_s)
        self.on_start(worker)
        return worker

    def run(self) -> dict[str, list[Summary]]:
        """Supervises to the end; the summaries of each stream's recordings, in order."""
        results: dict[str, list[Summary]] = {name: [] for name in self.workers}
        for stream, made in self.supervisor.run(self.clock):
            results[stream.name].append(made)
        return results


@pytest.fixture(scope="module")
def provenance() -> Provenance:
    return Provenance.of(Settings(), [load_network(Settings())])


@pytest.fixture
def watched(
    tmp_path: Path, provenance: Provenance, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Watched]:
    def begin(*names: str, end_s: float = 60.0, limits: Sequence[str] = ()) -> Watched:
        clock = Clock(end_s)
        monkeypatch.setattr(supervision, "monotonic", lambda: clock.now_s)
        monkeypatch.setattr(supervision, "sleep", clock.wait)
        return Watched(tmp_path, provenance, clock, names, limits)

    return begin


def test_it_ends_when_every_stream_has_ended(watched: Callable[..., Watched]) -> None:
    both = watched("door", "yard")
    both.clock.at(3, both.workers["door"][0].end)
    both.clock.at(5, both.workers["yard"][0].end)
    results = both.run()
    assert [made.status for name in ("door", "yard") for made in results[name]] == ["complete"] * 2
    assert 5 <= both.clock.passed_s < 7
    assert [status.state for status in both.supervisor.statuses()] == ["ended", "ended"]


def test_a_worker_that_dies_is_replaced_and_the_other_stream_goes_on(
    watched: Callable[..., Watched], tmp_path: Path
) -> None:
    both = watched("door", "yard")
    (tmp_path / "door" / ".unfinished.annotated-0001.mp4").touch()
    both.clock.at(10, lambda: setattr(both.workers["door"][0], "problem", "out of memory"))
    results = both.run()
    first, second = results["door"]
    assert (first.status, first.reason) == ("partial", "out of memory")
    assert (first.files, second.status) == (("timeline.csv",), "complete")
    assert (first.frames, first.duration_s, first.faces, first.tracks) == (3, 1.0, 3, 2)
    assert len(timeline(tmp_path / "door")) == 4
    assert summary(tmp_path / "door")["reason"] == "out of memory"
    assert not (tmp_path / "door" / ".unfinished.annotated-0001.mp4").exists()
    assert [worker.stream.folder.name for worker in both.workers["door"]] == ["door", "door-2"]
    assert len(both.workers["yard"]) == len(results["yard"]) == 1
    assert "door: ended: out of memory" in both.said


def test_a_worker_without_progress_is_killed_and_replaced(watched: Callable[..., Watched]) -> None:
    one = watched("door")
    slow, hanging = STALL_S - 1, STALL_S + 1
    one.clock.at(10, lambda: setattr(one.workers["door"][0], "idle_s", slow))
    one.clock.at(30, lambda: setattr(one.workers["door"][0], "idle_s", hanging))
    first, second = one.run()["door"]
    assert one.workers["door"][0].killed
    assert not one.workers["door"][1].killed
    assert 30 < one.started_s["door"][1] < 33
    assert (first.status, first.reason) == ("partial", f"no progress for {STALL_S:g} s")
    assert second.status == "complete"


def test_the_wait_before_a_replacement_doubles_up_to_a_minute(
    watched: Callable[..., Watched],
) -> None:
    one = watched("door", end_s=400)
    one.workers["door"][0].problem = "it died"
    one.on_start = lambda worker: setattr(worker, "problem", "it died")
    results = one.run()["door"]
    starts_s = one.started_s["door"]
    waits_s = [after - before for before, after in pairwise(starts_s)]
    assert waits_s[:6] == pytest.approx([1, 2, 4, 8, 16, 32], abs=1.1)
    assert waits_s[6:] == pytest.approx([60] * len(waits_s[6:]), abs=1.1)
    assert len(results) == len(starts_s)
    assert len({worker.stream.folder for worker in one.workers["door"]}) == len(starts_s)


def test_a_user_stops_a_stream_and_starts_it_again(watched: Callable[..., Watched]) -> None:
    one = watched("door")
    states: list[object] = []
    one.clock.at(5, lambda: one.supervisor.stop("door"))
    one.clock.at(15, lambda: states.append(one.supervisor.statuses()[0].state))
    one.clock.at(15, lambda: states.append(one.supervisor.worker("door")))
    one.clock.at(20, lambda: one.supervisor.start("door"))
    one.clock.at(21, lambda: one.supervisor.start("door"))
    one.clock.at(25, lambda: states.append(one.supervisor.statuses()[0].state))
    one.clock.at(25, lambda: states.append(one.supervisor.worker("door")))
    results = one.run()["door"]
    assert states == ["ended", None, "live", one.workers["door"][1]]
    assert [made.status for made in results] == ["complete", "complete"]
    assert [worker.stream.folder.name for worker in one.workers["door"]] == ["door", "door-2"]
    assert one.started_s["door"] == pytest.approx([0, 20], abs=1)


def test_a_stream_that_is_stopped_while_it_waits_to_be_replaced_stays_stopped(
    watched: Callable[..., Watched],
) -> None:
    one = watched("door")
    one.clock.at(5, lambda: setattr(one.workers["door"][0], "problem", "it died"))
    one.clock.at(6, lambda: one.supervisor.stop("door"))
    assert len(one.run()["door"]) == 1
    assert len(one.workers["door"]) == 1


def test_a_start_right_after_a_stop_counts(watched: Callable[..., Watched]) -> None:
    one = watched("door")
    first = one.workers["door"][0]
    first.obeys = False  # At first: it takes a while to complete its files.

    def stop_and_start() -> None:
        one.supervisor.stop("door")
        one.supervisor.start("door")

    one.clock.at(5, stop_and_start)
    one.clock.at(8, first.end)
    one.clock.at(20, stop_and_start)
    one.clock.at(20, lambda: one.supervisor.stop("door"))
    assert [made.status for made in one.run()["door"]] == ["complete"] * 2
    assert one.started_s["door"] == pytest.approx([0, 8], abs=1)


def test_a_stream_that_hangs_when_it_is_stopped_stays_stopped(
    watched: Callable[..., Watched],
) -> None:
    one = watched("door")
    first = one.workers["door"][0]
    first.obeys, first.idle_s = False, STALL_S - 1
    one.clock.at(5, lambda: one.supervisor.stop("door"))
    one.clock.at(10, lambda: setattr(first, "idle_s", STALL_S + 1))
    assert [made.reason for made in one.run()["door"]] == [f"no progress for {STALL_S:g} s"]


@pytest.mark.parametrize(
    ("limit", "ends_s"), [("live.duration_s=30", 30), ("live.frames=9", 10), ("live.frames=0", 60)]
)
def test_a_stopped_stream_does_not_keep_the_program_alive_beyond_its_limits(
    watched: Callable[..., Watched], limit: str, ends_s: float
) -> None:
    both = watched("door", "yard", limits=[limit])
    both.clock.at(5, lambda: both.supervisor.stop("door"))
    both.clock.at(10, both.workers["yard"][0].end)
    both.run()
    assert both.clock.passed_s == pytest.approx(ends_s, abs=1)


def test_a_recording_that_is_begun_anew_ends_when_the_first_would_have(
    watched: Callable[..., Watched],
) -> None:
    three = watched("stopped", "died", "dies", limits=["live.duration_s=30"])
    three.clock.at(5, lambda: three.supervisor.stop("stopped"))
    three.clock.at(10, lambda: three.supervisor.start("stopped"))
    three.clock.at(10, lambda: setattr(three.workers["died"][0], "problem", "it died"))
    three.clock.at(29.5, lambda: setattr(three.workers["dies"][0], "problem", "it died"))
    results = three.run()
    assert three.clock.passed_s == pytest.approx(30, abs=2)
    assert {name: [made.status for made in results[name]] for name in results} == {
        "stopped": ["complete", "complete"],
        "died": ["partial", "complete"],
        "dies": ["partial"],
    }


def test_no_recording_gets_the_folder_of_another_stream(
    watched: Callable[..., Watched], tmp_path: Path
) -> None:
    """Also while there is nothing in it yet."""
    (tmp_path / "yard").mkdir()
    three = watched("door", "door-2", "yard")
    three.clock.at(5, lambda: three.supervisor.stop("door"))
    three.clock.at(10, lambda: three.supervisor.start("door"))
    three.run()
    taken = {name: [worker.stream.folder.name for worker in three.workers[name]]
             for name in three.workers}  # fmt: skip
    assert taken == {"door": ["door", "door-3"], "door-2": ["door-2"], "yard": ["yard-2"]}


def test_a_folder_in_which_nothing_was_recorded_is_used_again(
    watched: Callable[..., Watched], tmp_path: Path, provenance: Provenance
) -> None:
    one = watched("door")
    first = one.workers["door"][0]
    (tmp_path / "door" / "timeline.csv").unlink()
    one.clock.at(5, lambda: setattr(first, "problem", "it died"))
    (made,) = one.run()["door"]
    assert (made.status, one.workers["door"][1].stream.folder) == ("complete", tmp_path / "door")


def test_a_worker_that_wrote_its_summary_before_it_died_has_the_last_word(
    watched: Callable[..., Watched], tmp_path: Path, provenance: Provenance
) -> None:
    one = watched("door")
    whole = Summary(source="tcp://door:1", status="partial", reason="its own", frames=7)
    whole.write(tmp_path / "door", provenance)
    one.clock.at(5, lambda: setattr(one.workers["door"][0], "problem", "it died"))
    assert one.run()["door"][0] == whole


def test_a_stream_that_cannot_be_started_is_told_and_tried_again(
    watched: Callable[..., Watched],
) -> None:
    one = watched("door")
    problems = [OSError("too many files are open"), OutputError("the disk is full")]

    def fail(worker: ScriptedWorker) -> None:
        if problems:
            raise problems.pop()

    one.on_start = fail
    one.clock.at(5, lambda: setattr(one.workers["door"][0], "problem", "it died"))
    assert [made.status for made in one.run()["door"]] == ["partial", "complete"]
    assert "door: ended: the disk is full" in one.said
    assert any("OSError: too many files are open" in line for line in one.said)
    assert one.started_s["door"] == pytest.approx([0, 6, 8, 12], abs=2)


def test_at_the_end_every_worker_is_waited_for_but_not_for_ever(
    watched: Callable[..., Watched],
) -> None:
    three = watched("obeys", "hangs", "dies", end_s=10)
    three.workers["hangs"][0].obeys = False
    three.clock.at(10, lambda: setattr(three.workers["dies"][0], "problem", "it died"))
    results = three.run()
    assert results["obeys"][0].status == "complete"
    assert results["hangs"][0].reason == "it could not be completed in time"
    assert three.workers["hangs"][0].killed
    assert results["dies"][0].reason == "it died"
    assert three.clock.passed_s == pytest.approx(10 + STOP_TIMEOUT_S, abs=2)


def test_a_change_of_state_is_told_once(watched: Callable[..., Watched]) -> None:
    one = watched("door", end_s=10)
    one.run()
    assert one.said == ["door: live", "door: ended"]


def test_a_stream_of_another_name_is_refused(watched: Callable[..., Watched]) -> None:
    one = watched("door")
    asked = one.supervisor
    assert [asked.worker("door")] == one.workers["door"]
    for ask in (asked.worker, asked.stop, asked.start, asked.recordings):
        with pytest.raises(UsageError, match="cellar: no such stream"):
            ask("cellar")


def test_streams_end_after_their_duration_whether_they_answer_or_not(
    camera_clips: dict[str, Path], tmp_path: Path, provenance: Provenance
) -> None:
    settings = load_settings(assignments=["live.duration_s=3", "video.enabled=false"])
    with LoopbackCamera(camera_clips["mjpeg"], "mjpeg") as camera:
        streams = [
            Stream("door", camera.address, settings, tmp_path / "door"),
            Stream("yard", f"tcp://127.0.0.1:{free_port()}", settings, tmp_path / "yard"),
        ]
        said: list[str] = []
        supervisor = Supervisor(streams, provenance, ThreadWorker, said.append)
        results = {stream.name: made for stream, made in supervisor.run(Event())}
    assert (results["door"].status, results["door"].reason) == ("complete", None)
    assert 0 < float(timeline(tmp_path / "door")[-1]["time_s"]) < 4
    assert results["yard"].status == "failed"
    assert "no picture came: Connection refused" in (results["yard"].reason or "")
    assert {"door: live", "door: ended"} <= set(said)
