"""Run the plan in this process, one video after the other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import Event

import cv2

from configs.errors import StopRequestedError, explain
from configs.schema import Settings
from pipeline.results.folder import save_failure
from pipeline.results.recorder import Recorder
from pipeline.results.summary import Provenance, Summary
from pipeline.run.networks import FaceReader
from pipeline.run.plan import FaceFinder, make_face_reader, open_reader, with_threads
from pipeline.run.reporter import Reporter
from pipeline.sources import Job
from stages.faces.detect import make_detector
from stages.faces.detector import Detector


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
    settings = with_threads(settings, os.cpu_count() or 1)
    detector, networks = make_detector(settings.detect), make_face_reader(settings)
    for job in jobs:
        if stop.is_set():
            break
        summary = _analyse(job, settings, provenance, reporter, stop, detector, networks)
        reporter.finished(job, summary)


def _analyse(
    job: Job,
    settings: Settings,
    provenance: Provenance,
    reporter: Reporter,
    stop: Event,
    detector: Detector,
    networks: FaceReader,
) -> Summary:
    recorder: Recorder | None = None
    try:
        with open_reader(job, settings) as reader:
            reporter.started(job, reader.info)
            finder = FaceFinder(detector, reader.info, settings)
            recorder = Recorder(job, reader.info, settings, provenance)
            for batch in reader.batches():
                batch = networks.process(finder.process(batch))
                reporter.advanced(job, recorder.process(batch))
                if stop.is_set():
                    raise StopRequestedError
        return recorder.finish()
    except Exception as error:  # Whatever is wrong with one video, the others go on.
        if recorder is not None:
            return recorder.finish(explain(error))
        return save_failure(job, explain(error), provenance)
    except BaseException:  # A Ctrl-C in a notebook, which nobody turned into ``stop``.
        if recorder is not None:
            recorder.discard()
        raise
