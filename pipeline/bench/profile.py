"""Profile the stages of one process by CPU time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import process_time, thread_time
from typing import Any
from unittest.mock import patch

from configs.load import with_changes
from configs.schema import Settings
from pipeline.results.recorder import Recorder
from pipeline.results.summary import Summary
from pipeline.run import local_executor, prefetch
from pipeline.run.executor import Reporter, Run
from pipeline.run.provenance import provenance_of
from pipeline.sources import Job
from stages.classify import NetworkStage
from stages.faces.align import AlignStage
from stages.faces.cut_faces import CropStage
from stages.faces.detect import DetectStage
from stages.people.cuts import CutStage
from stages.people.finalise import Finaliser
from stages.people.track import TrackStage
from stages.read.decode import Decoder
from stages.write.annotate import Annotator
from stages.write.portraits import Portraits
from stages.write.timeline_table import TableWriter
from stages.write.video_writer import VideoWriter

DECODE, ENCODE, REST, ALL = "decode", "encode", "read, copy and the rest", "all"

WARM_UP_S = 1.0
"""Of the first video, analysed before: what is loaded only once is not counted."""

STEPS: tuple[tuple[str, type, str], ...] = (
    ("search", DetectStage, "process"),
    ("cuts", CutStage, "process"),
    ("align", AlignStage, "process"),
    ("cut for networks", CropStage, "process"),
    ("track", TrackStage, "process"),
    ("networks", NetworkStage, "process"),
    ("finalise", Finaliser, "process"),
    ("table", TableWriter, "write"),
    ("portraits", Portraits, "process"),
    ("draw", Annotator, "draw"),
    (ENCODE, VideoWriter, "write"),
    ("report and exports", Recorder, "finish"),
)


@dataclass(frozen=True)
class StepFigures:
    """CPU time of one step.

    Attributes:
        step: its name.
        cpu_ms: CPU time per frame, in milliseconds, without steps nested in it.
        share: of the CPU time of all steps.
        of_upper_bound: in multiples of decoding and encoding alone.
    """

    step: str
    cpu_ms: float
    share: float
    of_upper_bound: float


def profile(clips: Sequence[Path], settings: Settings) -> list[StepFigures]:
    """Analyse videos in this process, one step after the other; returns the steps there were, in
    order, and their sum."""
    clock = _CpuClock()
    settings = with_changes(settings, {"read": {"threads": 1}, "classify": {"threads": 1}}, "bench")
    read = settings.read
    to_s = min(read.from_s + WARM_UP_S, read.to_s or inf)
    _analyse(clips[:1], with_changes(settings, {"read": {"to_s": to_s}}, "bench"))
    with ExitStack() as stack:
        stack.enter_context(patch.object(prefetch, "Prefetch", _InTurn))
        stack.enter_context(_timed_decoding(clock))
        for step, owner, method in STEPS:
            stack.enter_context(_timed(clock, step, owner, method))
        with clock.all():
            frames = _analyse(clips, settings)
    order = (DECODE, REST, *(step for step, _, _ in STEPS))
    spent_s = {step: clock.spent_s[step] for step in order if step in clock.spent_s}
    ms = {step: step_s / max(1, frames) * 1000 for step, step_s in spent_s.items()}
    ms[ALL], upper_bound = sum(ms.values()), ms[DECODE] + ms.get(ENCODE, 0.0)
    return [
        StepFigures(step, cpu_ms, cpu_ms / ms[ALL], cpu_ms / max(upper_bound, 1e-9))
        for step, cpu_ms in ms.items()
    ]


def _analyse(clips: Sequence[Path], settings: Settings) -> int:
    """Analyse videos into a folder that is deleted; returns the number of frames."""
    frames = _Count()
    with TemporaryDirectory() as folder:
        jobs = [Job(clip, Path(folder) / str(number)) for number, clip in enumerate(clips)]
        local_executor.analyse(Run(jobs, settings, provenance_of(settings), frames, Event()))
    return frames.frames


class _InTurn:
    """In the place of ``Prefetch``: runs a generator in the thread that takes its items."""

    def __init__(self, name: str, items: Iterator[Any], *_: object) -> None:
        self.name, self._items = name, items

    def __iter__(self) -> Iterator[Any]:
        return self._items

    def close(self) -> None: ...

    def ends(self, timeout_s: float) -> bool:
        return True


class _CpuClock:
    """CPU time by step; a nested step pauses the outer one.

    Steps are of this thread, decoder and networks included. Where a film is encoded, the others of
    the process are the encoder's, and work while this one is at other steps.
    """

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = defaultdict(float)
        self._running: list[str] = []
        self._since_s = 0.0

    @contextmanager
    def all(self) -> Iterator[None]:
        """Around all steps."""
        others_s = process_time() - thread_time()
        with self.step(REST):
            yield
        step = ENCODE if ENCODE in self.spent_s else REST
        self.spent_s[step] += process_time() - thread_time() - others_s

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self._lap()
        self._running.append(name)
        try:
            yield
        finally:
            self._lap()
            self._running.pop()

    def _lap(self) -> None:
        now_s = thread_time()
        if self._running:
            self.spent_s[self._running[-1]] += now_s - self._since_s
        self._since_s = now_s


def _timed(clock: _CpuClock, step: str, owner: type, method: str) -> AbstractContextManager[object]:
    plain: Callable[..., Any] = getattr(owner, method)

    def timed(*arguments: Any, **named: Any) -> Any:
        with clock.step(step):
            result = plain(*arguments, **named)
            # A generator does its work within the step.
            return list(result) if isinstance(result, Iterator) else result

    return patch.object(owner, method, timed)


def _timed_decoding(clock: _CpuClock) -> AbstractContextManager[object]:
    plain = Decoder.frames

    def timed(decoder: Decoder) -> Iterator[Any]:
        frames = plain(decoder)
        while True:
            with clock.step(DECODE):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    return patch.object(Decoder, "frames", timed)


class _Count(Reporter):
    """Counts frames."""

    frames = 0

    def finished(self, job: Job, summary: Summary) -> None:
        self.frames += summary.frames
