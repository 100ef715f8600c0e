"""The networks of a cluster: an actor for each, on each node, for every few lanes to share."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import ray

from configs.schema import Settings
from pipeline.run.actors import ClassifierActor, NetworkActor
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
    """Starts a classifier, and an actor for each further network, for each seat; for threads.

    One that hangs is replaced.

    One that dies is started again by Ray, which repeats what it was asked.

    Args:
        settings_on: by node.
    """

    def __init__(self, settings_on: Mapping[str, Settings], seats: Iterable[Seat]) -> None:
        self._settings_on, self._checking = settings_on, Lock()
        self._actors = {
            seat: [
                self._started_on(seat.node, file)
                for file in (None, *settings_on[seat.node].networks.files)
            ]
            for seat in sorted(set(seats))
        }

    def at(self, seat: Seat) -> list[Any]:
        """The actors to be asked now: the classifier, then those of further networks."""
        return list(self._actors[seat])

    def replace_if_hanging(self, seat: Seat) -> None:
        """Start another in the place of one that does not answer."""
        settings = self._settings_on[seat.node]
        stall_timeout_s = settings.executor.stall_timeout_s
        with self._checking:  # The lanes that share them notice at about the same time.
            for place, file in enumerate((None, *settings.networks.files)):
                actor = self._actors[seat][place]
                try:
                    answer = actor.answer.remote()
                    ray.get(answer, timeout=min(LONGEST_ANSWER_S, stall_timeout_s))
                except ray.exceptions.RayError as error:
                    logging.getLogger(__name__).debug("a network is replaced", exc_info=error)
                    ray.kill(actor)
                    self._actors[seat][place] = self._started_on(seat.node, file)

    def _started_on(self, node: str, file: Path | None) -> Any:
        """The actor of a further network; without its file, a classifier."""
        stage, *files = (NetworkActor, file) if file else (ClassifierActor,)
        settings = self._settings_on[node]
        return start_actor(stage, settings, *files, node=node, max_restarts=-1, max_task_retries=-1)
