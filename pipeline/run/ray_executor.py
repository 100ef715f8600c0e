"""Move batches through the chain on Ray: stages are actors, joined by bounded queues.

A lane is a reader, a face finder and a recorder, an actor each; it takes one video after the other.
Every two lanes of a node share an actor for each network, which takes the faces of both together.

    reader --frames--> finder --faces--> networks --outputs--> recorder
       \\_______________________frames (shared memory)___________/

The reader writes frames to shared memory once; the others read them in place. Two limits bound the
queues: the reader pauses while too many of its batches wait, and the driver passes on no batch
while ``executor.queue_batches`` are between reader and recorder.
"""

from __future__ import annotations

import logging
import queue
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import replace
from threading import Lock
from typing import Any

import ray
from ray.util.metrics import Counter, Gauge

from configs.errors import RayLostError, SourceError, StalledError, StopRequestedError
from pipeline.result_folders import TABLE
from pipeline.results.ending import end_without_recorder
from pipeline.results.summary import Summary
from pipeline.run.actors import FinderActor, ReaderActor, RecorderActor
from pipeline.run.executor import Reporter, Run
from pipeline.run.ray_cluster import (
    as_nodes_see,
    lanes_at_most,
    node_after_failure,
    places_of_lanes,
    reason_of_failure,
    start_actor,
    with_threads_of_lanes,
)
from pipeline.run.ray_networks import Networks, Slot, slots_of_lanes
from pipeline.run.ray_start import RayMonitor, ray_running
from pipeline.sources import Job
from stages.batch import VideoInfo

POLL_S = 0.2
HEARTBEAT = "heartbeat"
"""Threads of an actor that answer while others work."""

START_TIMEOUT_S = 60.0
"""For actors to start and load what they run, at least; a busy machine takes long."""

ATTEMPTS = 2
STARTS_OF_RAY = 3
LANES_END_TIMEOUT_S = 20.0
"""For lanes to notice that Ray has died, or that they are to stop."""


class Lane:
    """The actors of one lane, all on one node, and the queue between them."""

    def __init__(
        self,
        name: str,
        networks: Networks,
        slot: Slot,
        run: Run,
        reporter: MetricsReporter,
        monitor: RayMonitor,
    ) -> None:
        self._name, self._networks, self._monitor = name, networks, monitor
        self._slot, self._node = slot, slot.node
        self._run, self._settings, self._reporter = run, run.settings, reporter
        self._broke = self._all_recorded = False
        self._start_actors()

    def analyse(self, job: Job) -> Summary:
        """Take one video through all stages, and once more if a stage died or hung.

        Raises:
            RayLostError: Ray itself died; the video has to be done again.
        """
        attempts = 0
        while True:
            self._broke, self._all_recorded, node = False, False, self._node
            summary = self._attempt(job)
            attempts += self._node == node  # A lost node is not the video's fault.
            # A complete table is not deleted to be made again.
            complete = self._all_recorded and (job.folder / TABLE).exists()
            if not self._broke or attempts == ATTEMPTS or complete or self._run.stop.is_set():
                return summary

    def _attempt(self, job: Job) -> Summary:
        there = as_nodes_see(job, self._settings)
        try:
            self._get(self._loading, START_TIMEOUT_S)
            info = self._get(self._reader.open.remote(there))
        except Exception as error:
            if self._monitor.has_died():
                raise RayLostError from error
            self._replace_if_broken(error)
            return self._end(job, error)
        self._reporter.started(job, info)
        try:
            self._get([self._finder.open.remote(info), self._recorder.open.remote(there, info)])
            for frames in self._record():
                self._reporter.advanced(job, frames)
            self._all_recorded = True
            return self._finish(None)
        except Exception as error:  # Whatever is wrong with one video, the others go on.
            if self._monitor.has_died():
                raise RayLostError from error
            if isinstance(error, StalledError):
                self._networks.replace_if_hanging(self._slot)
            summary = self._finish_early(reason_of_failure(error))
            self._replace_if_broken(error)
            if not self._broke and not self._run.stop.is_set():
                # The reader may still work, or wait to pass on frames that nobody takes.
                self._restart_actors()
            return summary or self._end(job, error)

    def _end(self, job: Job, error: Exception) -> Summary:
        reason = reason_of_failure(error)
        return end_without_recorder(job, reason, self._run.provenance, self._all_recorded)

    def _replace_if_broken(self, error: Exception) -> None:
        """Start new actors if the error is the lane's, not the video's."""
        expected = isinstance(error, SourceError) and not isinstance(error, StalledError)
        if not expected:
            self._broke = True
            if not isinstance(error, StalledError):
                self._node = node_after_failure(self._node)
            self._restart_actors()

    def _record(self) -> Iterator[int]:
        """Send all frames through the stages; yields the number of frames recorded so far."""
        queue_batches = self._settings.executor.queue_batches
        frames_read = self._reader.batches.options(
            num_returns="streaming", _generator_backpressure_num_objects=queue_batches
        ).remote()
        in_flight: deque[ray.ObjectRef] = deque()
        while True:
            if self._run.stop.is_set():
                raise StopRequestedError
            if self._monitor.has_died():
                raise RayLostError
            frames = self._next(frames_read)
            if frames is None:
                break
            found = self._finder.process.remote(frames)
            networks = self._networks.at(self._slot)
            given = [network.outputs_of.remote(found) for network in networks]
            in_flight.append(self._recorder.process.remote(found, frames, *given))
            del frames, found, given
            self._reporter.queued(self._name, len(in_flight))
            if len(in_flight) >= queue_batches:
                yield self._get(in_flight.popleft())
        while in_flight:
            yield self._get(in_flight.popleft())
        self._reporter.queued(self._name, 0)

    def _next(self, stream: ray.ObjectRefGenerator) -> ray.ObjectRef | None:
        timeout_s = self._settings.executor.stall_timeout_s
        ready, _ = ray.wait([stream], timeout=timeout_s, fetch_local=False)
        if not ready:
            raise StalledError(f"no frame was read for {timeout_s:g} s")
        return next(stream, None)

    def _get(self, refs: Any, least_timeout_s: float = 0) -> Any:
        timeout_s = max(self._settings.executor.stall_timeout_s, least_timeout_s)
        try:
            return ray.get(refs, timeout=timeout_s)
        except ray.exceptions.GetTimeoutError:
            raise StalledError(f"no progress for {timeout_s:g} s") from None
        except ray.exceptions.RayTaskError as error:
            raise error.cause or error from None

    def _finish(self, cut_short: str | None) -> Summary:
        """Complete the results, which may take long: for as long as the recorder says so."""
        timeout_s = self._settings.executor.stall_timeout_s
        result = self._recorder.finish.remote(cut_short)
        while not ray.wait([result], timeout=timeout_s)[0]:
            if self._monitor.has_died():
                raise RayLostError
            asked = self._recorder.is_finishing.options(concurrency_group=HEARTBEAT)
            if not self._get(asked.remote()):
                raise StalledError(f"no progress for {timeout_s:g} s")
        return self._get(result)

    def _finish_early(self, reason: str) -> Summary | None:
        try:
            return self._finish(reason)
        except Exception as error:
            logging.getLogger(__name__).debug("the recorder could not finish", exc_info=error)
            return None

    def _start_actors(self) -> None:
        node, settings = self._node, self._settings
        self._reader = start_actor(ReaderActor, settings, node=node)
        self._finder = start_actor(FinderActor, settings, node=node)
        provenance, groups = self._run.provenance, {HEARTBEAT: 1}
        self._recorder = start_actor(
            RecorderActor, settings, provenance, node=node, concurrency_groups=groups
        )
        self._loading = [actor.load.remote() for actor in self._actors]

    @property
    def _actors(self) -> tuple[Any, ...]:
        return self._reader, self._finder, self._recorder

    def _restart_actors(self) -> None:
        for actor in self._actors:
            ray.kill(actor)
        self._start_actors()


def analyse(run: Run) -> None:
    """Analyse the videos, several in parallel.

    If Ray itself dies, it is started again for the videos that are not done.

    Raises:
        UsageError: the cluster named in the settings cannot be joined.
        RayLostError: the cluster's head died, or Ray here died several times.
        EmotionTimelinesError: Ray or a network cannot be started.
    """
    executor = run.settings.executor
    lanes = lanes_at_most(len(run.jobs), run.settings)
    summaries: dict[Job, Summary] = {}
    starts = 1 if executor.address else STARTS_OF_RAY
    for start in range(1, starts + 1):
        left = replace(run, jobs=[job for job in run.jobs if job not in summaries])
        try:
            with ray_running(run.settings, lanes, run.verbose) as monitor:
                nodes = places_of_lanes(executor.lanes, at_most=len(left.jobs))
                _run_lanes(left, nodes, monitor, summaries)
            break
        except RayLostError:
            if start == starts:
                raise
            run.reporter.warned(
                "Ray itself died; it is started again, and the unfinished videos are done again"
            )


def _run_lanes(
    run: Run, nodes: Sequence[str], monitor: RayMonitor, summaries: dict[Job, Summary]
) -> None:
    """Analyse videos in parallel lanes; adds their summaries to ``summaries``.

    Args:
        nodes: of each lane.
    """
    settings_on = {node: with_threads_of_lanes(run.settings, node, nodes) for node in set(nodes)}
    slots = slots_of_lanes(nodes)
    networks = Networks(settings_on, slots)
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in run.jobs:
        waiting.put(job)
    metrics = MetricsReporter(run.reporter)

    def work(number: int, slot: Slot) -> None:
        there = replace(run, settings=settings_on[slot.node])
        lane = Lane(str(number), networks, slot, there, metrics, monitor)
        while not run.stop.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            summaries[job] = lane.analyse(job)
            metrics.finished(job, summaries[job])

    pool = ThreadPoolExecutor(len(nodes), thread_name_prefix="lane")
    try:
        working = {pool.submit(work, number, slot) for number, slot in enumerate(slots, 1)}
        while working:
            # In short steps, so that this thread handles signals.
            done, working = wait_for(working, timeout=POLL_S)
            if monitor.has_died():
                wait_for(working, timeout=LANES_END_TIMEOUT_S)
                raise RayLostError
            for future in done:
                future.result()
    except KeyboardInterrupt:
        # The first Ctrl-C in a program that does not turn it into ``stop``, such as a notebook.
        if not run.stop.is_set():
            run.stop.set()
            wait_for(working, timeout=LANES_END_TIMEOUT_S)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class MetricsReporter(Reporter):
    """Passes everything on, and counts in Ray's metrics; make it while Ray runs."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter, self._lock = reporter, Lock()
        self._frames_of: dict[Job, int] = {}
        self._frames = Counter("emotion_timelines_frames", "Frames recorded.")
        self._faces = Counter("emotion_timelines_faces", "Faces in videos that are done.")
        self._videos = Counter(
            "emotion_timelines_videos", "Videos that are done.", tag_keys=("status",)
        )
        self._queue = Gauge(
            "emotion_timelines_queue_batches",
            "Batches between the reader and the recorder.",
            tag_keys=("lane",),
        )

    def started(self, job: Job, info: VideoInfo) -> None:
        self._frames_of[job] = 0
        self._reporter.started(job, info)

    def advanced(self, job: Job, frames: int) -> None:
        new = frames - self._frames_of[job]
        self._frames_of[job] = frames
        if new > 0:
            with self._lock:
                self._frames.inc(new)
        self._reporter.advanced(job, frames)

    def finished(self, job: Job, summary: Summary) -> None:
        with self._lock:
            if summary.faces:
                self._faces.inc(summary.faces)
            self._videos.inc(tags={"status": summary.status})
        self._reporter.finished(job, summary)

    def warned(self, warning: str) -> None:
        self._reporter.warned(warning)

    def queued(self, lane: str, batches: int) -> None:
        """Report the number of batches in flight in a lane."""
        self._queue.set(batches, tags={"lane": lane})
