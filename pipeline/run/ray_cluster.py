"""Ray itself: started here or joined, the actors on it, and what goes wrong with them."""

from __future__ import annotations

import logging
import os
import signal
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
from pipeline.sources import Job

CONNECT_TIMEOUT_S = 10
MIN_OBJECT_STORE_MB = 256
HELD_BACK_BATCHES = 4
"""By the recorder, until it is known which faces last."""

LEAST_LANES, CPUS_OF_A_LANE = 2, 2
POLL_S = 0.5
NODE_LOSS_NOTICED_S = 30.0

OWN_PROCESSES = {"gcs_server", "raylet"}
HEAD_ASKED_EVERY_S, HEAD_ANSWERS_IN_S, SILENCES = 5.0, 3.0, 2

CODE = [Path(__file__).parents[2] / name for name in ("configs", "models", "pipeline", "stages")]
"""Travels to the other nodes of a cluster."""


class RayWatch:
    """Notices when Ray itself has died: its processes here, or the head of the cluster joined.

    Ray would end the whole program a minute later, without a word to anyone.
    """

    def __init__(self, joined: bool) -> None:
        children = [] if joined else psutil.Process().children(recursive=True)
        self._processes = [child for child in children if child.name() in OWN_PROCESSES]
        self._head = ray.get_runtime_context().gcs_address if joined else None
        self._asked_s, self._silences = monotonic(), 0
        self._died = False

    def has_died(self) -> bool:
        self._died = self._died or any(map(_is_dead, self._processes)) or self._head_is_silent()
        return self._died

    def _head_is_silent(self) -> bool:
        if self._head and monotonic() - self._asked_s >= HEAD_ASKED_EVERY_S:
            host, _, port = self._head.rpartition(":")
            try:
                socket.create_connection((host, int(port)), timeout=HEAD_ANSWERS_IN_S).close()
                self._silences = 0
            except OSError:
                self._silences += 1
            self._asked_s = monotonic()
        return self._silences >= SILENCES


def _is_dead(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextmanager
def ray_running(settings: Settings, lanes: int, verbose: bool) -> Iterator[RayWatch]:
    """Ray, with memory for so many lanes; shut down afterwards. Yields what watches over it.

    Args:
        verbose: show what Ray says.

    Raises:
        UsageError: the cluster that the settings name cannot be joined.
        EmotionTimelinesError: Ray cannot be started.
    """
    _start_ray(settings, lanes, verbose)
    try:
        yield RayWatch(joined=settings.executor.address is not None)
    finally:
        ray.shutdown()


def lanes_of_this_machine() -> int:
    return max(LEAST_LANES, (os.cpu_count() or 1) // CPUS_OF_A_LANE)


def places_of_lanes(wanted: int, at_most: int) -> list[str]:
    """For each lane the node that it is to run on: as many as the CPUs carry, evenly spread.

    Args:
        wanted: how many lanes; 0 to choose by the CPUs of all nodes.
        at_most: how many there is work for.

    Returns:
        Ray's names of nodes.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    least = LEAST_LANES if len(nodes) == 1 else 1
    on_each = [
        [node["NodeID"]] * max(least, int(node["Resources"].get("CPU", 1)) // CPUS_OF_A_LANE)
        for node in nodes
    ]
    turns = [place for place in chain(*zip_longest(*on_each)) if place is not None]
    return list(islice(cycle(turns), min(wanted or len(turns), at_most)))


def with_threads_of_lanes(settings: Settings, node: str, places: Sequence[str]) -> Settings:
    """The same settings, threads shared out among the lanes of a node.

    Args:
        places: the node of each lane.
    """
    resources = next(each["Resources"] for each in ray.nodes() if each["NodeID"] == node)
    return with_threads(settings, int(resources.get("CPU", 1)) // places.count(node))


def node_after_failure(node: str) -> str:
    """Where to go on after an actor on a node died: there, or elsewhere if the node died, too.

    The head of a cluster notices the loss of a node only after a while.
    """
    deadline_s = monotonic() + NODE_LOSS_NOTICED_S
    while True:
        alive = [each["NodeID"] for each in ray.nodes() if each["Alive"]]
        if node not in alive:
            return alive[0]
        if len(ray.nodes()) == 1 or monotonic() > deadline_s:
            return node
        sleep(POLL_S)


def as_nodes_see(job: Job, settings: Settings) -> Job:
    """A video whose paths are those of a cluster's nodes, by ``executor.mounts``."""
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
    """An actor of that class, with no claim on CPUs: its threads are set by the settings.

    Args:
        node: where it is to run, for as long as that node lives.
        options: further ones of Ray.
    """
    if node is not None:
        options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node, soft=True)
    return ray.remote(num_cpus=0, **options)(stage).remote(*arguments)


def reason_of_failure(error: Exception) -> str:
    """What to tell a user of an error that an actor, or Ray, raised."""
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
    on_terminate = signal.getsignal(signal.SIGTERM)
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
    # Ray's own handler would leave at once, with files half-written.
    signal.signal(signal.SIGTERM, on_terminate)


def _check_reachable(address: str) -> None:
    """Ray itself would wait for ever for a cluster that is not there."""
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
