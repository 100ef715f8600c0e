"""Frames of a live stream that could not be written to a file, such as while the disk was full."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from stages.batch import FrameBatch, Gap

MAX_LOSSES = 1000


class Losses:
    """What is missing in one file.

    Attributes:
        frames: how many frames are missing.
        losses: the latest of them, by time.
    """

    def __init__(self) -> None:
        self._written_s = 0.0
        self.frames = 0
        self.losses: deque[Gap] = deque(maxlen=MAX_LOSSES)

    @property
    def problem(self) -> str | None:
        """Why the newest frames could not be written; None if they could."""
        return self.losses[-1].reason if self._is_open else None

    def missed(self, batch: FrameBatch, reason: str) -> None:
        if not len(batch):
            return
        if not self._is_open:
            self.losses.append(Gap(self._written_s, None, reason))
        self.frames += len(batch)

    def written(self, batch: FrameBatch) -> None:
        if not len(batch):
            return
        if self._is_open:
            begins_s = round(float(batch.time_s[0]), 6)
            self.losses.append(replace(self.losses.pop(), to_s=begins_s))
        self._written_s = round(float(batch.time_s[-1]), 6)

    @property
    def reasons(self) -> str:
        """Of all of them, in words; empty if nothing is missing."""
        return "; ".join(dict.fromkeys(loss.reason for loss in self.losses))

    @property
    def _is_open(self) -> bool:
        return bool(self.losses) and self.losses[-1].to_s is None
