"""Whether the face that continues a track is still the same one.

Place and motion cannot tell when another face takes the place of one: at a cut between people who
are framed alike, or when one sits down where another left. The 48x48 crops tell cheaply when
nothing of the kind happened, as a face changes little from frame to frame. Where it changes a lot,
or was out of sight, descriptors are compared, if both times it was seen clearly.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.batch import FrameBatch
from stages.people.cuts import RecentChanges
from stages.people.reidentify import MAX_DISTANCE, MIN_WIDTH_PX, ClearSample, clear_sample

ALIKE = 0.85
"""Correlation of two crops, above which they show the same face; two faces have 0.2, seldom 0.7."""

ALIKE_WITHOUT_DESCRIPTORS = 0.6
"""Correlation that is enough after a cut, for a face that cannot be described."""

UNLIKE = 0.4
"""After a sudden change a lower correlation means another face, if the face cannot be described but
is large enough to be aligned well."""

SUDDEN_CHANGE, MIN_CHANGE_RATIO = 0.3, 5.0
"""A change from one frame to the next is sudden if it is as large as this, and so many times the
usual one."""

SHORT_ABSENCE_S = 0.25
"""Within this time nobody takes another's place, except at a cut."""

MAX_SAME_DISTANCE = 0.6
"""Of the descriptors of two single samples, where place and motion speak for the same face."""

SAMPLE_INTERVAL_S = 0.5
"""Time between the clear samples of a track."""


class FaceSample:
    """How one face looks in one frame.

    Args:
        face: its index in the batch.
    """

    def __init__(self, batch: FrameBatch, face: int) -> None:
        self._batch, self._face = batch, face

    @cached_property
    def crop(self) -> NDArray[np.float32] | None:
        """Brightness with mean 0 and norm 1, (2304,) float32; None for a batch without crops."""
        if not len(self._batch.crops):
            return None
        values = self._batch.crops[self._face].astype(np.float32).reshape(-1)
        values -= values.mean()
        return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)

    @property
    def is_large(self) -> bool:
        return bool(self._batch.boxes[self._face, 2] >= MIN_WIDTH_PX)

    @cached_property
    def clear(self) -> ClearSample | None:
        return None if self.crop is None else clear_sample(self._batch, self._face)


class Appearance:
    """How the face of a track looked so far.

    Attributes:
        clear: the last clear one of a face that was surely this one.
        doubtful: the track was continued by a face that may be another.
    """

    def __init__(self) -> None:
        self.clear: ClearSample | None = None
        self.doubtful = False
        self._crop: NDArray[np.float32] | None = None
        self._changes = RecentChanges(SUDDEN_CHANGE, MIN_CHANGE_RATIO)
        self._clear_due_s = -math.inf

    def change(self, sample: FaceSample) -> float | None:
        """1 - correlation of a sample with the last one; None if it is not known."""
        if self._crop is None or sample.crop is None:
            return None
        return 1 - float(self._crop @ sample.crop)

    def is_sudden(self, change: float) -> bool:
        return self._changes.is_sudden(change)

    def add(self, sample: FaceSample, time_s: float, sure: bool = True) -> None:
        """Take the next sample of the track; ``sure`` as in ``Verdict``."""
        change = self.change(sample)
        if change is not None:
            self._changes.add(change)
        self._crop = sample.crop
        self.doubtful = not sure and self.clear is not None
        if not self.doubtful and time_s >= self._clear_due_s:
            self.clear = sample.clear or self.clear
            self._clear_due_s = time_s + SAMPLE_INTERVAL_S


class Verdict(NamedTuple):
    """Whether two samples show the same face, and whether that is more than a presumption."""

    same: bool
    sure: bool


class Likeness:
    """Compares the faces of one video.

    Args:
        describe: whether descriptors may be made; without them the crops have to do.
    """

    def __init__(self, describe: bool) -> None:
        self._describe = describe

    def compare(
        self, known: Appearance, sample: FaceSample, elapsed_s: float, proof: bool
    ) -> Verdict:
        """Whether a sample shows the face of a track.

        Args:
            elapsed_s: since the track was last seen.
            proof: place and motion are no evidence, as after a cut.
        """
        change = known.change(sample)
        if change is None:
            return Verdict(not proof, sure=False)
        absent = elapsed_s > SHORT_ABSENCE_S
        sudden = known.is_sudden(change) and not absent
        if not known.doubtful and (change <= 1 - ALIKE or not (proof or absent or sudden)):
            return Verdict(True, sure=True)
        if not self._describe or known.clear is None or sample.clear is None:
            if proof:
                return Verdict(1 - change >= ALIKE_WITHOUT_DESCRIPTORS, sure=False)
            return Verdict(1 - change >= UNLIKE or not sudden or not sample.is_large, sure=False)
        limit = MAX_DISTANCE if proof else MAX_SAME_DISTANCE
        return Verdict(known.clear.distance(sample.clear) <= limit, sure=True)
