"""Makes the rows of a table as the settings want them."""

from __future__ import annotations

from collections.abc import Sequence

from configs.schema import Settings
from stages.faces.detect import DETECTORS
from stages.write.rows import RowMaker


def make_row_maker(settings: Settings, further: Sequence[str] = ()) -> RowMaker:
    """For one video or recording.

    Args:
        further: columns of networks beyond the seven expressions.
    """
    detector = DETECTORS[settings.detect.detector]
    return RowMaker(settings.smooth.keep_raw, detector.finds_landmarks, further)
