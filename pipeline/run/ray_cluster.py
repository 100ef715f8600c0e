"""Start Ray or join a cluster, place actors on it, and notice when it dies."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, cycle, islice, zip_longest
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from configs.errors import EmotionTimelinesError, UsageError, explain
from configs.schema import Settings
from pipeline.run.plan import with_threads
from pipeline.run.ray_turns import packages_found_by_workers, sigterm_handler_kept, turn_with_ray
from pipeline.sources import Job

CONNECT_TIMEOUT_S = 10
MIN_OBJECT_STORE_MB = 256
HELD_BACK_BATCHES = 4
"""By the recorder, until faces are settled."""

MIN_LANES, CPUS_PER_LANE = 2, 2
POLL_S = 0.5
NODE_LOSS_TIMEOUT_S = 30.0
"""Ray's head notices the loss of a node within this time."""

RAY_PROCESSES = {"gcs_server", "raylet"}
HEAD_POLL_S, HEAD_TIMEOUT_S, MAX_HEAD_FAILURES = 5.0, 3.0, 2

CODE = [Path(__file__).parents[2] / name for name in ("configs", "models", "pipeline", "stages")]
"""Our packages, which Ray copies to the other nodes of a cluster."""


class RayMonitor:
    """Notices when Ray itself has died: its processes here, or the head of the cluster.

    Ray would end this program a minute later, without a message.
    """

    def __init__(self, joined: bool) -> None:
        children = [] if joined else psutil.Process().children(recursive=True)
        self._processes = [child for child in children if child.name() in RAY_PROCESSES]
        self._head = ray.get_runtime_context().gcs_address if joined else None
        self._asked_s, self._head_failures = monotonic(), 0
        self._died = False

    def has_died(self) -> bool:
        self._died = self._died or any(map(_is_dead, self._processes)) or self._head_is_silent()
        return self._died

    def _head_is_silent(self) -> bool:
        if self._head and monotonic() - self._asked_s >= HEAD_POLL_S:
            host, _, port = self._head.rpartition(":")
            try:
                socket.create_connection((host, int(port)), timeout=HEAD_TIMEOUT_S).close()
                self._head_failures = 0
            except OSError:
                self._head_failures += 1
            self._asked_s = monotonic()
        return self._head_failures >= MAX_HEAD_FAILURES


def _is_dead(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextmanager
def ray_running(settings: Settings, lanes: int, verbose: bool) -> Iterator[RayMonitor]:
    """Start Ray with memory for this many lanes, or join a cluster; shut down afterwards.

    Args:
        verbose: show Ray's log.

    Yields:
        A monitor of Ray.

    Raises:
        UsageError: the cluster named in the settings cannot be joined, or this program uses Ray
            for something else.
        EmotionTimelinesError: Ray cannot be started.
    """
    with turn_with_ray():
        try:
            with sigterm_handler_kept(), packages_found_by_workers():
                _start_ray(settings, lanes, verbose)
            yield RayMonitor(joined=settings.executor.address is not None)
        finally:
            ray.shutdown()


def lanes_of_this_machine() -> int:
    return max(MIN_LANES, (os.cpu_count() or 1) // CPUS_PER_LANE)


def places_of_lanes(wanted: int, at_most: int) -> list[str]:
    """The node of each lane, spread evenly.

    Args:
        wanted: number of lanes; 0: chosen by the CPUs of all nodes.
        at_most: upper limit, such as the number of videos.

    Returns:
        Ray's node ids.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    least = MIN_LANES if len(nodes) == 1 else 1
    on_each = [
        [node["NodeID"]] * max(least, int(node["Resources"].get("CPU", 1)) // CPUS_PER_LANE)
        for node in nodes
    ]
    turns = [place for place in chain(*zip_longest(*on_each)) if place is not None]
    return list(islice(cycle(turns), min(wanted or len(turns), at_most)))


def with_threads_of_lanes(settings: Settings, node: str, places: Sequence[str]) -> Settings:
    """The settings with a node's CPUs divided among its lanes.

    Args:
        places: node of each lane.
    """
    resources = next(each["Resources"] for each in ray.nodes() if each["NodeID"] == node)
    return with_threads(settings, int(resources.get("CPU", 1)) // places.count(node))


def node_after_failure(node: str) -> str:
    """Where to continue after an actor died: on its node, or on another if that died as well.

    Waits, as the head of a cluster notices the loss of a node only after a while.
    """
    deadline_s = monotonic() + NODE_LOSS_TIMEOUT_S
    while True:
        alive = [each["NodeID"] for each in ray.nodes() if each["Alive"]]
        if node not in alive:
            return alive[0]
        if len(ray.nodes()) == 1 or monotonic() > deadline_s:
            return node
        sleep(POLL_S)


def as_nodes_see(job: Job, settings: Settings) -> Job:
    """The video with the paths that a cluster's nodes have, by ``executor.mounts``."""
    if settings.executor.address is None:
        return job
    return replace(
        job,
        source=_mounted(job.source.absolute(), settings.executor.mounts),
        folder=_mounted(job.folder.absolute(), settings.executor.mounts),
    )


def _mounted(path: Path, mounts: Mapping[str, str]) -> Path:
    for here, there in mounts.items():
        if path.is_relative_to(here):
            return Path(there) / path.relative_to(here)
    return path


def start_actor(stage: type, *arguments: Any, node: str | None = None, **options: Any) -> Any:
    """Start an actor of a class, without reserving CPUs: the settings choose its threads.

    Args:
        node: where to run while that node lives; None for any.
        options: further options of Ray.
    """
    if node is not None:
        options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node, soft=True)
    return ray.remote(num_cpus=0, **options)(stage).remote(*arguments)


def reason_of_failure(error: Exception) -> str:
    """A message for an error that an actor, or Ray, raised."""
    if isinstance(error, ray.exceptions.RayError):
        return "a stage of the pipeline died, perhaps for lack of memory, or with its node"
    return explain(error)


def _start_ray(settings: Settings, lanes: int, verbose: bool) -> None:
    batches_alive = lanes * (2 * settings.executor.queue_batches + HELD_BACK_BATCHES)
    memory_mb = max(MIN_OBJECT_STORE_MB, batches_alive * settings.read.batch_mb)
    level = logging.INFO if verbose else logging.CRITICAL
    local: dict[str, Any] = {"include_dashboard": False, "object_store_memory": memory_mb * 2**20}
    address = settings.executor.address
    if address:
        _check_reachable(address)
    logging.getLogger("ray").setLevel(level)
    try:
        ray.init(
            address=address or "local",
            log_to_driver=verbose,
            logging_level=level,
            configure_logging=verbose,
            **({"runtime_env": {"py_modules": [str(path) for path in CODE]}} if address else local),
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        if address:
            raise UsageError(
                f"executor.address: {address}: the cluster cannot be joined: {error}; "
                "if it was started with tokens, set RAY_AUTH_MODE=token"
            ) from error
        raise EmotionTimelinesError(
            f"Ray cannot start on this machine: {error}; try --executor local"
        ) from error


def _check_reachable(address: str) -> None:
    """Check first, as Ray would wait for ever for a cluster that is not there.

    Raises:
        UsageError: nothing listens there.
    """
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return  # "auto", which Ray looks up on this machine.
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"executor.address: {address}: no Ray cluster answers there: {reason}"
        ) from error
