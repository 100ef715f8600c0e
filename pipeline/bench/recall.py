"""Compare the faces found with those of a full search, and those of small videos with large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from configs.load import with_changes
from configs.schema import Settings
from pipeline.run.plan.classifying import make_classifier
from pipeline.run.plan.finding import FaceFinder
from stages.batch import FrameBatch, VideoInfo
from stages.classify import ClassifyStage
from stages.faces.detect import make_detector
from stages.frames import pixels_shape, yuv_planes
from stages.geometry import iou
from stages.read.video import VideoReader

SAME_FACE = 0.5
"""IoU from which on two detections are the same face."""

SMALL_FACE_PX = 64
"""A small face is narrower than this in the picture that is searched."""

MAX_VIDEO_S = 10.0

SMALL = 4
"""A small video's width and height are the others' divided by this."""


@dataclass(frozen=True)
class RecallFigures:
    """The faces that one way finds in a video, compared with those of a reference.

    Attributes:
        clip: its name.
        faces: number found by the reference.
        found: share of those that the other way finds as well (recall).
        more: number that only the other way finds, as a share of ``faces``.
        iou: mean IoU of faces found by both.
        same_emotion: share of faces found by both with the same likeliest expression.
        small_faces: number found by the reference that are narrower than 64 pixels in the picture
            that is searched.
        small_found: share of those that the other way finds as well.
    """

    clip: str
    faces: int
    found: float
    more: float
    iou: float
    same_emotion: float
    small_faces: int
    small_found: float


def compare_with_full_search(clips: Sequence[Path], settings: Settings) -> list[RecallFigures]:
    """A row for each video, and one for all of them; the reference searches every frame."""
    full = with_changes(settings, {"detect": {"interval_s": 0}}, "bench")
    return _compare(clips, full, settings)


def compare_with_small_size(clips: Sequence[Path], settings: Settings) -> list[RecallFigures]:
    """A row for each video at a quarter of its width and height, and one for all of them.

    The reference is the same video at its full size.
    """
    return _compare(clips, settings, settings, SMALL)


def _compare(
    clips: Sequence[Path], reference: Settings, settings: Settings, shrink: int = 1
) -> list[RecallFigures]:
    cv2.setNumThreads(1)
    classifier = make_classifier(settings)
    rows, total = [], np.zeros(7)
    for clip in clips:
        counts = _counts(clip, reference, settings, shrink, classifier)
        rows.append(_figures(clip.name, counts))
        total += counts
    return [*rows, _figures("all", total)]


def _figures(name: str, counts: np.ndarray) -> RecallFigures:
    faces, found, more, ious, same, small, small_found = counts.tolist()
    return RecallFigures(
        name,
        round(faces),
        found / max(1, faces),
        more / max(1, faces),
        ious / max(1, found),
        same / max(1, found),
        round(small),
        small_found / max(1, small),
    )


def _counts(
    clip: Path, reference: Settings, settings: Settings, shrink: int, classifier: ClassifyStage
) -> np.ndarray:
    """Faces, found, more, sum of IoUs, same emotion, small faces, those found: (7,)."""
    counts, detector = np.zeros(7), make_detector(settings.detect)
    with VideoReader(clip, settings.read) as reader:
        small = _small_info(reader.info, shrink)
        expecting = FaceFinder(detector, reader.info, reference)
        finding = FaceFinder(detector, small, settings)
        longer_side = max(reader.info.width, reader.info.height)
        small_px = SMALL_FACE_PX * max(1.0, longer_side / reference.detect.width_px)
        scale = np.tile((reader.info.width / small.width, reader.info.height / small.height), 2)
        for batch in reader.batches():
            if len(batch) and batch.time_s[0] > MAX_VIDEO_S:
                break
            expected = classifier.process(expecting.process(batch))
            found = classifier.process(finding.process(_small_batch(batch, small)))
            found = replace(found, boxes=found.boxes * scale.astype(np.float32))
            for index in range(len(batch)):
                counts += _compared(expected, found, index, small_px)
    return counts


def _small_info(info: VideoInfo, shrink: int) -> VideoInfo:
    return replace(
        info, width=max(1, round(info.width / shrink)), height=max(1, round(info.height / shrink))
    )


def _small_batch(batch: FrameBatch, info: VideoInfo) -> FrameBatch:
    """The same frames, scaled to the size in ``info``."""
    shape = pixels_shape((info.width, info.height))
    if batch.pixels.shape[1:] == shape:
        return batch
    pixels = np.empty((len(batch), *shape), np.uint8)
    for frame, small in zip(batch.pixels, pixels, strict=True):
        for plane, target in zip(yuv_planes(frame), yuv_planes(small), strict=True):
            cv2.resize(plane, target.shape[::-1], target, interpolation=cv2.INTER_AREA)
    return replace(batch, pixels=pixels)


def _compared(expected: FrameBatch, found: FrameBatch, index: int, small_px: float) -> np.ndarray:
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
    small = expected.boxes[a][:, 2] < small_px
    return np.array(
        [
            len(ious),
            len(pairs),
            ious.shape[1] - len(pairs),
            sum(ious[i, j] for i, j in pairs),
            sum(emotions[0][i] == emotions[1][j] for i, j in pairs),
            small.sum(),
            sum(small[i] for i, _ in pairs),
        ],
        np.float64,
    )
