"""The networks of a cluster: an actor for each, on each node, for every few lanes to share."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

import ray

from configs.schema import Settings
from pipeline.run.actors import NetworkActor
from pipeline.run.ray_cluster import start_actor
from stages.classify import network_files

LANES_PER_NETWORK = 2
"""More would wait for it: it takes as long for a face as the other stages of a lane."""

LONGEST_ANSWER_S = 30.0
"""Also for a new one to start, on a busy machine."""


class Slot(NamedTuple):
    """Where the networks of some lanes run: a node, and which of its sets of networks they use."""

    node: str
    number: int


def slots_of_lanes(nodes: Sequence[str]) -> list[Slot]:
    """Whose networks each lane uses.

    Args:
        nodes: of each lane.
    """
    lanes: Counter[str] = Counter()
    slots = []
    for node in nodes:
        slots.append(Slot(node, lanes[node] // LANES_PER_NETWORK))
        lanes[node] += 1
    return slots


class Networks:
    """An actor for each network, for each slot; used by threads.

    One that hangs is replaced. One that dies is started again by Ray, which repeats what it was
    asked.

    Args:
        settings_on: by node.
    """

    def __init__(self, settings_on: Mapping[str, Settings], slots: Iterable[Slot]) -> None:
        self._settings_on, self._checking = settings_on, Lock()
        self._actors = {
            slot: [
                self._started_on(slot.node, number)
                for number in range(len(network_files(settings_on[slot.node])))
            ]
            for slot in set(slots)
        }

    def at(self, slot: Slot) -> list[Any]:
        """The actors to be asked now, in the order of ``network_files``."""
        return list(self._actors[slot])

    def replace_if_hanging(self, slot: Slot) -> None:
        """Start another in the place of one that does not answer."""
        stall_timeout_s = self._settings_on[slot.node].executor.stall_timeout_s
        with self._checking:  # The lanes that share them notice at about the same time.
            for number, actor in enumerate(self.at(slot)):
                try:
                    answer = actor.answer.remote()
                    ray.get(answer, timeout=min(LONGEST_ANSWER_S, stall_timeout_s))
                except ray.exceptions.RayError as error:
                    logging.getLogger(__name__).debug("a network is replaced", exc_info=error)
                    ray.kill(actor)
                    self._actors[slot][number] = self._started_on(slot.node, number)

    def _started_on(self, node: str, number: int) -> Any:
        settings = self._settings_on[node]
        return start_actor(
            NetworkActor, settings, number, node=node, max_restarts=-1, max_task_retries=-1
        )
