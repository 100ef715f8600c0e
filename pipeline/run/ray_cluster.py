"""Place lanes and actors on the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, cycle, islice, zip_longest
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from configs.errors import explain
from configs.schema import Settings
from pipeline.result_folders import place_of
from pipeline.run.machine import usable_cpus, with_threads
from pipeline.sources import Job

MIN_LANES, CPUS_PER_LANE = 2, 2
POLL_S = 0.5
NODE_LOSS_TIMEOUT_S = 30.0
"""Ray's head notices the loss of a node within this time."""


def lanes_at_most(videos: int, settings: Settings) -> int:
    """Lanes that so many videos may have on this machine."""
    by_cpus = max(MIN_LANES, usable_cpus() // CPUS_PER_LANE)
    return min(videos, settings.executor.lanes or by_cpus)


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
        given=job.source,
        place=place_of(job.source),
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
    if isinstance(error, ray.exceptions.RayTaskError) and isinstance(error.cause, Exception):
        return explain(error.cause)
    if isinstance(error, ray.exceptions.RayError):
        return "a stage of the pipeline died, perhaps for lack of memory, or with its node"
    return explain(error)
