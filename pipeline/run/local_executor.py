"""Run the plan in this process, one video after the other, its parts in threads.

    reader --frames--> finder, networks --frames, faces--> recorder

The threads are joined by bounded queues. The libraries that do the work let other threads run
meanwhile, so that reader, finder and recorder keep two CPUs busy.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from threading import Event
from typing import Any

import cv2

from configs.errors import explain
from configs.schema import Settings
from pipeline.results.folder import save_failure, save_what_is_there
from pipeline.results.recorder import Recorder
from pipeline.results.summary import Provenance, Summary
from pipeline.run.ahead import Line
from pipeline.run.memory import give_memory_back
from pipeline.run.plan.finding import FaceFinder
from pipeline.run.plan.reading import open_reader
from pipeline.run.plan.threads import usable_cpus, with_threads
from pipeline.run.reporter import Reporter
from pipeline.sources import Job
from stages.batch import FrameBatch
from stages.classify import NetworkStage, network_stages
from stages.faces.detect import make_detector


def run(
    jobs: Sequence[Job],
    settings: Settings,
    provenance: Provenance,
    reporter: Reporter,
    stop: Event,
) -> None:
    """Analyse the videos; one that fails does not stop the others.

    Args:
        stop: once set, the current video is completed up to there, and no other is begun.
    """
    cv2.setNumThreads(1)
    settings = with_threads(settings, usable_cpus())
    executor = _LocalExecutor(settings, provenance, reporter, stop)
    for job in jobs:
        if stop.is_set():
            break
        summary = executor.analyse(job)
        give_memory_back()
        reporter.finished(job, summary)


class _LocalExecutor:
    def __init__(
        self, settings: Settings, provenance: Provenance, reporter: Reporter, stop: Event
    ) -> None:
        self._settings, self._provenance = settings, provenance
        self._reporter, self._stop = reporter, stop
        self._timeout_s = settings.executor.stall_timeout_s
        self._load()

    def _load(self) -> None:
        self._detector = make_detector(self._settings.detect)
        self._networks = network_stages(self._settings)

    def analyse(self, job: Job) -> Summary:
        """Take one video through all stages, in three threads; this one only looks on."""
        recorder: Recorder | None = None
        most = max(1, self._settings.executor.queue_batches // 2)  # There are two queues.
        line = Line(most, self._stop, self._timeout_s)
        try:
            with line:
                frames = iter(line.start("reader", _read(job, self._settings)))
                info = next(frames)
                self._reporter.started(job, info)
                finder = FaceFinder(self._detector, info, self._settings)
                recorder = Recorder(job, info, self._settings, self._provenance)
                faces = line.start("finder", _find(frames, finder, self._networks))
                for recorded in line.start("recorder", _record(faces, recorder)):
                    self._reporter.advanced(job, recorded)
            return recorder.finish()
        except Exception as error:  # Whatever is wrong with one video, the others go on.
            reason = explain(error)
            if recorder is None:
                return save_failure(job, reason, self._provenance)
            if "recorder" in line.hanging:
                return save_what_is_there(job, reason, self._provenance)
            return recorder.finish(reason)
        except BaseException:  # A Ctrl-C in a notebook, which nobody turned into ``stop``.
            if recorder is not None:
                recorder.discard()
            raise
        finally:
            if line.hanging:
                self._load()  # A thread may still use what it has.


def _read(job: Job, settings: Settings) -> Generator[Any, None, None]:
    """Yields what is known of the video, a ``VideoInfo``, and then its batches."""
    with open_reader(job, settings) as reader:
        yield reader.info
        yield from reader.batches()


def _find(
    frames: Iterable[FrameBatch], finder: FaceFinder, networks: Sequence[NetworkStage]
) -> Generator[FrameBatch, None, None]:
    for batch in frames:
        found = finder.process(batch)
        for network in networks:
            found = network.process(found)
        yield found.without_crops()


def _record(faces: Iterable[FrameBatch], recorder: Recorder) -> Generator[int, None, None]:
    """Yields the number of frames recorded so far."""
    for batch in faces:
        yield recorder.process(batch)
