"""Move batches through the chain in this process, one video after the other, its parts in threads.

    reader --frames--> finder, networks --frames, faces--> recorder

The threads are joined by bounded queues. The libraries that do the work let other threads run
meanwhile, so that reader, finder and recorder keep two CPUs busy.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import Any

import cv2

from configs.errors import explain
from configs.schema import Settings
from pipeline.chain import Recording, Stage, find_stages, open_reader, through
from pipeline.results.ending import end_without_recorder
from pipeline.results.summary import Summary
from pipeline.run.executor import Run
from pipeline.run.machine import give_memory_back, usable_cpus, with_threads
from pipeline.run.prefetch import Prefetchers
from pipeline.sources import Job
from stages.batch import FrameBatch
from stages.classify import network_stages
from stages.faces.detect import make_detector


def analyse(run: Run) -> None:
    """Analyse the videos, one after the other."""
    cv2.setNumThreads(1)
    executor = _LocalExecutor(replace(run, settings=with_threads(run.settings, usable_cpus())))
    for job in run.jobs:
        if run.stop.is_set():
            break
        summary = executor.analyse(job)
        give_memory_back()
        run.reporter.finished(job, summary)


class _LocalExecutor:
    def __init__(self, run: Run) -> None:
        self._run, self._settings, self._provenance = run, run.settings, run.provenance
        self._timeout_s = run.settings.executor.stall_timeout_s
        self._load()

    def _load(self) -> None:
        self._detector = make_detector(self._settings.detect)
        self._networks = network_stages(self._settings)

    def analyse(self, job: Job) -> Summary:
        """Take one video through all stages, in three threads; this one only looks on."""
        recording: Recording | None = None
        most = max(1, self._settings.executor.queue_batches // 2)  # There are two queues.
        threads = Prefetchers(most, self._run.stop, self._timeout_s)
        try:
            with threads:
                frames = iter(threads.start("reader", _read(job, self._settings)))
                info = next(frames)
                self._run.reporter.started(job, info)
                stages = [*find_stages(self._detector, info, self._settings), *self._networks]
                recording = Recording(job, info, self._settings, self._provenance)
                faces = threads.start("finder", _find(frames, stages))
                for recorded in threads.start("recorder", _record(faces, recording)):
                    self._run.reporter.advanced(job, recorded)
            return recording.finish()
        except Exception as error:  # Whatever is wrong with one video, the others go on.
            reason = explain(error)
            if recording is None or "recorder" in threads.hanging:
                recorded = recording is not None
                return end_without_recorder(job, reason, self._provenance, recorded)
            return recording.finish(reason)
        except BaseException:  # A Ctrl-C in a notebook, which nobody turned into ``stop``.
            if recording is not None:
                recording.recorder.discard()
            raise
        finally:
            if threads.hanging:
                self._load()  # A thread may still use what it has.


def _read(job: Job, settings: Settings) -> Generator[Any, None, None]:
    """Yields what is known of the video, a ``VideoInfo``, and then its batches."""
    with open_reader(job, settings) as reader:
        yield reader.info
        yield from reader.batches()


def _find(
    frames: Iterable[FrameBatch], stages: Sequence[Stage]
) -> Generator[FrameBatch, None, None]:
    for batch in frames:
        yield through(stages, batch).without_crops()


def _record(faces: Iterable[FrameBatch], recording: Recording) -> Generator[int, None, None]:
    """Yields the number of frames recorded so far."""
    for batch in faces:
        yield recording.process(batch)
