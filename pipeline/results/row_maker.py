"""Makes the rows of a table as the settings want them."""

from __future__ import annotations

from collections.abc import Sequence

from configs.schema import Settings
from models.card import OutputColumn
from stages.columns import timeline_columns
from stages.faces.detect import DETECTORS
from stages.write.timeline_table import RowMaker


def make_row_maker(settings: Settings, outputs: Sequence[OutputColumn] = ()) -> RowMaker:
    """For one video or recording.

    Args:
        outputs: what networks give beyond the seven expressions.
    """
    detector = DETECTORS[settings.detect.detector]
    columns = timeline_columns(settings.smooth.keep_raw, outputs)
    return RowMaker(columns, detector.finds_landmarks)
