"""The networks of a cluster: an actor for each on each node, shared by its lanes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import ray

from configs.schema import Settings
from pipeline.run.actors import ClassifierActor, NetworkActor
from pipeline.run.ray_cluster import start_actor

LONGEST_ANSWER_S = 30.0
"""Also for a new one to start, on a busy machine."""


class Classifiers:
    """Starts a classifier on each node, and an actor for each further network; for several threads.

    One that hangs is replaced.

    One that dies is started again by Ray, which repeats what it was asked.

    Args:
        settings_on: by node.
    """

    def __init__(self, settings_on: Mapping[str, Settings]) -> None:
        self._settings_on, self._checking = settings_on, Lock()
        self._actors = {
            node: [self._started_on(node, file) for file in (None, *on.networks.files)]
            for node, on in sorted(settings_on.items())
        }

    def on(self, node: str) -> list[Any]:
        """The actors to be asked now: the classifier, then those of further networks."""
        return list(self._actors[node])

    def replace_if_hanging(self, node: str) -> None:
        """Start another in the place of one that does not answer."""
        settings = self._settings_on[node]
        stall_timeout_s = settings.executor.stall_timeout_s
        with self._checking:  # The lanes of a node notice at about the same time.
            for place, file in enumerate((None, *settings.networks.files)):
                actor = self._actors[node][place]
                try:
                    answer = actor.answer.remote()
                    ray.get(answer, timeout=min(LONGEST_ANSWER_S, stall_timeout_s))
                except ray.exceptions.RayError as error:
                    logging.getLogger(__name__).debug("a network is replaced", exc_info=error)
                    ray.kill(actor)
                    self._actors[node][place] = self._started_on(node, file)

    def _started_on(self, node: str, file: Path | None) -> Any:
        """The actor of a further network; without its file, a classifier."""
        stage, *files = (NetworkActor, file) if file else (ClassifierActor,)
        settings = self._settings_on[node]
        return start_actor(stage, settings, *files, node=node, max_restarts=-1, max_task_retries=-1)
