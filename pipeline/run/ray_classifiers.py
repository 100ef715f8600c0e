"""The classifiers of a cluster: one on each node, shared by its lanes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from threading import Lock
from typing import Any

import ray

from configs.schema import Settings
from pipeline.run.actors import ClassifierActor
from pipeline.run.ray_cluster import start_actor

ANSWER_TIMEOUT_S = 30.0
"""Also for a new one to start, on a busy machine."""


class Classifiers:
    """Starts a classifier on each node, and replaces one that hangs; for several threads.

    One that dies is started again by Ray, which repeats what it was asked.

    Args:
        settings_on: by node.
    """

    def __init__(self, settings_on: Mapping[str, Settings]) -> None:
        self._settings_on, self._checking = settings_on, Lock()
        self._actors = {node: self._started_on(node) for node in sorted(settings_on)}

    def on(self, node: str) -> Any:
        """The actor to be asked now."""
        return self._actors[node]

    def replace_if_hanging(self, node: str) -> None:
        """Start another in the place of one that does not answer."""
        with self._checking:  # The lanes of a node notice at about the same time.
            try:
                ray.get(self._actors[node].answer.remote(), timeout=ANSWER_TIMEOUT_S)
            except ray.exceptions.RayError as error:
                logging.getLogger(__name__).debug("a classifier is replaced", exc_info=error)
                ray.kill(self._actors[node])
                self._actors[node] = self._started_on(node)

    def _started_on(self, node: str) -> Any:
        settings = self._settings_on[node]
        return start_actor(
            ClassifierActor, settings, node=node, max_restarts=-1, max_task_retries=-1
        )
