"""What stands in for a supervisor of live streams, so that a page shows them in any state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from configs.errors import EmotionTimelinesError, UsageError
from configs.schema import PageSettings
from models.emotions import EMOTIONS
from pipeline.live.page import page_served
from pipeline.live.stream import StreamStatus
from pipeline.live.supervisor import Supervisor
from pipeline.results.summary import Summary

LIVE = StreamStatus(
    "Front door", "tcp://camera:1", "live",
    time_s=3661.0, frames=100, frames_per_s=14.5, latency_p50_ms=90.0, latency_p95_ms=1234.0,
)  # fmt: skip

Serve = Callable[..., AbstractContextManager[str]]


def jpeg(width: int, height: int) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8))[1].tobytes()


def seen(time_s: float, track: int, emotion: str, low: bool = False) -> dict[str, Any]:
    shares = [0.88 if name == emotion else 0.02 for name in EMOTIONS]
    return {"time_s": time_s, "track": track, "probabilities": shares, "low": low}


def seen_from(from_s: float, to_s: float, track: int, emotion: str) -> list[dict[str, Any]]:
    """Five times a second."""
    return [seen(float(time_s), track, emotion) for time_s in np.arange(from_s, to_s, 0.2)]


@dataclass
class Streams:
    """All of them are in the state of ``status``, which a test may change at any time."""

    names: tuple[str, ...] = (LIVE.name,)
    status: StreamStatus = LIVE
    picture_jpeg: bytes | None = field(default_factory=lambda: jpeg(160, 90))
    points: list[dict[str, Any]] = field(default_factory=lambda: [seen(3660.0, 1, "happy")])
    gaps: list[dict[str, Any]] = field(default_factory=list)
    faces: dict[int, int] = field(default_factory=dict)
    until_s: float | None = None
    recorded: list[tuple[Path, Summary]] = field(default_factory=list)
    died: bool = False
    asked_to: list[str] = field(default_factory=list)

    def served(self, **settings: Any) -> AbstractContextManager[str]:
        """The page of these streams; gives its address."""
        return page_served(cast(Supervisor, self), PageSettings(**settings))

    def statuses(self) -> list[StreamStatus]:
        return [replace(self.status, name=name) for name in self.names]

    def worker(self, name: str) -> Streams:
        """All streams have this worker."""
        self._find(name)
        return self

    def picture(self, width_px: int | None) -> bytes | None:
        return self.picture_jpeg

    def face(self, track: int) -> bytes | None:
        return jpeg(96, 96) if track in self.faces else None

    def recent(self, since_s: float) -> dict[str, Any]:
        points = [point for point in self.points if point["time_s"] > since_s]
        until_s = max(point["time_s"] for point in self.points)
        return {
            "until_s": self.until_s or until_s,
            "points": points,
            "faces": self.faces,
            "gaps": self.gaps,
        }

    def recordings(self, name: str) -> list[tuple[Path, Summary]]:
        self._find(name)
        return self.recorded

    def stop(self, name: str) -> None:
        self._find(name)
        self.asked_to.append("stop")
        self.status = replace(self.status, state="ended")

    def start(self, name: str) -> None:
        self._find(name)
        self.asked_to.append("start")
        self.status = LIVE

    def _find(self, name: str) -> None:
        if name not in self.names:
            raise UsageError(f"{name}: no such stream")
        if self.died:
            raise EmotionTimelinesError("it died")
