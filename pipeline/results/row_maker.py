"""Makes the rows of a table as the settings want them."""

from __future__ import annotations

from configs.schema import Settings
from stages.faces.detect import DETECTORS
from stages.write.rows import RowMaker


def make_row_maker(settings: Settings) -> RowMaker:
    """For one video or recording."""
    detector = DETECTORS[settings.detect.detector]
    return RowMaker(settings.smooth.keep_raw, detector.finds_landmarks)
