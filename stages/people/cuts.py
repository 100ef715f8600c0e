"""Notice when a film cuts from one shot to another."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import cv2
import numpy as np

from stages.batch import FrameBatch
from stages.frames import yuv_planes

THUMBNAIL_PX = (32, 18)

LEAST_CHANGE = 15.0
"""Mean change of brightness, of 255 steps, from which on a picture may be of another shot."""

SUDDENNESS = 3.0
"""A cut changes the picture by so many times as much as the frames before did: motion does not."""

FRAMES_BEFORE = 5


class CutStage:
    """Fills ``cuts``: compares each frame with the one before it, in small grey pictures."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._changes: deque[float] = deque(maxlen=FRAMES_BEFORE)

    def process(self, batch: FrameBatch) -> FrameBatch:
        cuts = [self._is_cut(yuv_planes(frame)[0]) for frame in batch.pixels]
        return replace(batch, cuts=np.array(cuts, bool))

    def _is_cut(self, luma: np.ndarray) -> bool:
        # Every eighth line is enough for a mean, and spares reading the whole picture.
        picture = cv2.resize(luma[::8], THUMBNAIL_PX, interpolation=cv2.INTER_AREA).astype(np.int16)
        last, self._last = self._last, picture
        if last is None:
            return False
        change = float(np.abs(picture - last).mean())
        usual = float(np.median(self._changes)) if self._changes else 0.0
        self._changes.append(change)
        return change > max(LEAST_CHANGE, SUDDENNESS * usual)
