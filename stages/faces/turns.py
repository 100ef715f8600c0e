"""Whether the pictures of a film lie on their side, or upside down, without saying so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stages.batch import FrameBatch
from stages.faces.detector import Detector, SmallImages

TURNS = (0, 90, 180, 270)
"""Degrees clockwise."""

INTERVAL_S, FIRST_INTERVAL_S = 1.0, 0.3
"""Time between samples; the first two are closer, as a film may be shorter than a second."""

ENOUGH_SAMPLES, MOST_SAMPLES = 5, 30
"""Samples with faces, until it is decided; and samples in all."""

FEWEST_SAMPLES = 2
"""Samples with faces that are needed for a decision at the end of a short film, or that they are
upright."""

MARGIN = 1.02
"""The scores of faces in a turned picture must be higher by this factor in all. Detectors find
faces in any turn, those that are upright with the highest scores: by 1.05 and more."""


class TurnFinder:
    """Searches a few frames, the samples, for faces in four turns.

    Args:
        detector: finds the faces.
        width_px: longer side of the pictures in which faces are searched otherwise. Here half of it
            is enough: the turns differ as clearly, at a quarter of the cost.
    """

    def __init__(self, detector: Detector, width_px: int) -> None:
        self._detector, self._width_px = detector, width_px // 2
        self._scores = np.zeros(len(TURNS))
        self._samples = self._with_faces = 0
        self._next_s = 0.0

    @property
    def done(self) -> bool:
        """Whether it has seen enough: fewer samples do for faces that are clearly upright."""
        upright = self._scores[0] > self._scores[1:].max() * MARGIN
        enough = FEWEST_SAMPLES if upright else ENOUGH_SAMPLES
        return self._with_faces >= enough or self._samples >= MOST_SAMPLES

    @property
    def turn(self) -> int:
        """Degrees clockwise by which pictures should be turned, by what was seen so far."""
        best = int(np.argmax(self._scores))
        clear = self._scores[best] > self._scores[0] * MARGIN
        return TURNS[best] if clear and self._with_faces >= FEWEST_SAMPLES else 0

    def process(self, batch: FrameBatch) -> FrameBatch:
        """Fills ``turn``, as long as it is not done."""
        if self.done:
            return batch
        self.observe(batch)
        return replace(batch, turn=self.turn)

    def observe(self, batch: FrameBatch) -> None:
        """Take samples of the next batch, if it is time to."""
        images = SmallImages(batch.pixels, self._width_px) if len(batch) else None
        for index, time_s in enumerate(batch.time_s):
            if images is None or self.done or time_s < self._next_s:
                continue
            self._next_s = time_s + (INTERVAL_S if self._samples else FIRST_INTERVAL_S)
            scores = [self._score(images[index], turn) for turn in TURNS]
            self._scores += scores
            self._samples += 1
            self._with_faces += any(scores)

    def _score(self, image: NDArray[np.uint8], turn: int) -> float:
        turned = np.ascontiguousarray(np.rot90(image, -turn // 90))
        return float(self._detector.find(turned).scores.sum())
