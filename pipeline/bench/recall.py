"""What searching less costs: faces against those that are found when every picture is searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from configs.load import with_changes
from configs.schema import Settings
from pipeline.run.plan import FaceFinder, make_classifier
from stages.batch import FrameBatch
from stages.classify import ClassifyStage
from stages.faces.detect import make_detector
from stages.geometry import overlap
from stages.read.video import VideoReader

SAME_FACE = 0.5
MOST_SECONDS = 10.0
"""Of each video."""


@dataclass(frozen=True)
class RecallFigures:
    """How the faces of one video, found with the settings, compare with a search of every picture.

    Attributes:
        clip: its name.
        faces: found when every picture is searched.
        found: share of those that the settings find, too (IoU of at least 0.5).
        more: faces that only the settings find, as a share of the others.
        iou: mean intersection over union of those that both find.
        same_emotion: share of those with the same likeliest expression.
    """

    clip: str
    faces: int
    found: float
    more: float
    iou: float
    same_emotion: float


def compare_with_full_search(clips: Sequence[Path], settings: Settings) -> list[RecallFigures]:
    """A row for each video, and one for all of them."""
    cv2.setNumThreads(1)
    full = with_changes(settings, {"detect": {"interval_s": 0}}, "bench")
    classifier = make_classifier(settings)
    rows, total = [], np.zeros(5)
    for clip in clips:
        counts = _counts(clip, settings, full, classifier)
        rows.append(_figures(clip.name, counts))
        total += counts
    return [*rows, _figures("all", total)]


def _figures(name: str, counts: np.ndarray) -> RecallFigures:
    faces, found, more, overlaps, same = counts.tolist()
    return RecallFigures(
        name,
        round(faces),
        found / max(1, faces),
        more / max(1, faces),
        overlaps / max(1, found),
        same / max(1, found),
    )


def _counts(
    clip: Path, settings: Settings, full: Settings, classifier: ClassifyStage
) -> np.ndarray:
    """Faces, found, more, sum of overlaps, same emotion: (5,)."""
    counts, detector = np.zeros(5), make_detector(settings.detect)
    with VideoReader(clip, settings.read) as reader:
        finders = [FaceFinder(detector, reader.info, each) for each in (full, settings)]
        for batch in reader.batches():
            if len(batch) and batch.time_s[0] > MOST_SECONDS:
                break
            expected, found = (classifier.process(finder.process(batch)) for finder in finders)
            for index in range(len(batch)):
                counts += _compared(expected, found, index)
    return counts


def _compared(expected: FrameBatch, found: FrameBatch, index: int) -> np.ndarray:
    a, b = expected.faces_of(index), found.faces_of(index)
    overlaps = overlap(expected.boxes[a][:, None], found.boxes[b][None])
    pairs = [
        (i, j)
        for i, j in zip(*linear_sum_assignment(-overlaps), strict=True)
        if overlaps[i, j] >= SAME_FACE
    ]
    emotions = [
        batch.probabilities[faces].argmax(axis=1) for batch, faces in ((expected, a), (found, b))
    ]
    return np.array(
        [
            len(overlaps),
            len(pairs),
            overlaps.shape[1] - len(pairs),
            sum(overlaps[i, j] for i, j in pairs),
            sum(emotions[0][i] == emotions[1][j] for i, j in pairs),
        ],
        np.float64,
    )
