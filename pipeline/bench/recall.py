"""Compare the faces found with those found when every frame is searched."""

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
from stages.geometry import iou
from stages.read.video import VideoReader

SAME_FACE = 0.5
"""IoU from which on two detections are the same face."""

MAX_VIDEO_S = 10.0


@dataclass(frozen=True)
class RecallFigures:
    """The faces of one video compared with those of a search of every frame.

    Attributes:
        clip: its name.
        faces: number found when every frame is searched.
        found: share of those that are found with the settings as well (recall).
        more: number found only with the settings, as a share of ``faces``.
        iou: mean IoU of faces found by both.
        same_emotion: share of faces found by both with the same likeliest expression.
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
    faces, found, more, ious, same = counts.tolist()
    return RecallFigures(
        name,
        round(faces),
        found / max(1, faces),
        more / max(1, faces),
        ious / max(1, found),
        same / max(1, found),
    )


def _counts(
    clip: Path, settings: Settings, full: Settings, classifier: ClassifyStage
) -> np.ndarray:
    """Faces, found, more, sum of IoUs, same emotion: (5,)."""
    counts, detector = np.zeros(5), make_detector(settings.detect)
    with VideoReader(clip, settings.read) as reader:
        finders = [FaceFinder(detector, reader.info, each) for each in (full, settings)]
        for batch in reader.batches():
            if len(batch) and batch.time_s[0] > MAX_VIDEO_S:
                break
            expected, found = (classifier.process(finder.process(batch)) for finder in finders)
            for index in range(len(batch)):
                counts += _compared(expected, found, index)
    return counts


def _compared(expected: FrameBatch, found: FrameBatch, index: int) -> np.ndarray:
    a, b = expected.faces_of(index), found.faces_of(index)
    ious = iou(expected.boxes[a][:, None], found.boxes[b][None])
    pairs = [
        (i, j)
        for i, j in zip(*linear_sum_assignment(-ious), strict=True)
        if ious[i, j] >= SAME_FACE
    ]
    emotions = [
        batch.probabilities[faces].argmax(axis=1) for batch, faces in ((expected, a), (found, b))
    ]
    return np.array(
        [
            len(ious),
            len(pairs),
            ious.shape[1] - len(pairs),
            sum(ious[i, j] for i, j in pairs),
            sum(emotions[0][i] == emotions[1][j] for i, j in pairs),
        ],
        np.float64,
    )
