"""The classifiers of a cluster: on each node one for every few lanes, which share it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

import ray

from configs.schema import Settings
from pipeline.run.actors import ClassifierActor
from pipeline.run.ray_cluster import start_actor

LANES_PER_CLASSIFIER = 2
"""More would wait for it: it takes as long for a face as the other stages of a lane."""

LONGEST_ANSWER_S = 30.0
"""Also for a new one to start, on a busy machine."""


class Seat(NamedTuple):
    """The place of a classifier: a node, and which one of its classifiers it is."""

    node: str
    number: int


def seats_of_lanes(places: Sequence[str]) -> list[Seat]:
    """Whose classifier each lane uses.

    Args:
        places: node of each lane.
    """
    lanes: Counter[str] = Counter()
    seats = []
    for node in places:
        seats.append(Seat(node, lanes[node] // LANES_PER_CLASSIFIER))
        lanes[node] += 1
    return seats


class Classifiers:
    """Starts a classifier for each seat, and replaces one that hangs; for several threads.

    One that dies is started again by Ray, which repeats what it was asked.

    Args:
        settings_on: by node.
    """

    def __init__(self, settings_on: Mapping[str, Settings], seats: Iterable[Seat]) -> None:
        self._settings_on, self._checking = settings_on, Lock()
        self._actors = {seat: self._started_on(seat.node) for seat in sorted(set(seats))}

    def at(self, seat: Seat) -> Any:
        """The actor to be asked now."""
        return self._actors[seat]

    def replace_if_hanging(self, seat: Seat) -> None:
        """Start another in the place of one that does not answer."""
        stall_timeout_s = self._settings_on[seat.node].executor.stall_timeout_s
        with self._checking:  # The lanes that share it notice at about the same time.
            try:
                answer = self._actors[seat].answer.remote()
                ray.get(answer, timeout=min(LONGEST_ANSWER_S, stall_timeout_s))
            except ray.exceptions.RayError as error:
                logging.getLogger(__name__).debug("a classifier is replaced", exc_info=error)
                ray.kill(self._actors[seat])
                self._actors[seat] = self._started_on(seat.node)

    def _started_on(self, node: str) -> Any:
        settings = self._settings_on[node]
        return start_actor(
            ClassifierActor, settings, node=node, max_restarts=-1, max_task_retries=-1
        )
