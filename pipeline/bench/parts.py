"""Compare the parts that a user can choose, detectors and networks; and ways to find faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from configs.errors import EmotionTimelinesError
from configs.load import with_changes
from configs.schema import Settings
from models.network import Network
from pipeline.chain import find_stages, through
from stages.batch import FrameBatch, VideoInfo
from stages.classify import NetworkStage
from stages.faces.detect import DETECTORS, make_detector
from stages.faces.detector import Detector, SmallImages
from stages.frames import pixels_shape, yuv_planes
from stages.geometry import iou
from stages.read.video_reader import VideoReader

FRAMES_PER_CLIP = 24
FACES = 32
ROUNDS = 15

SAME_FACE = 0.5
"""IoU from which on two detections are the same face."""

SMALL_FACE_PX = 64
"""A small face is narrower than this in the picture that is searched."""

MAX_VIDEO_S = 10.0

SMALL = 4
"""A small video's width and height are the others' divided by this."""


@dataclass(frozen=True)
class DetectorFigures:
    """Results of one detector, on the same pictures as the others.

    Attributes:
        detector: its name in the settings.
        frames: number of pictures.
        faces: number of faces found in them.
        shared: share of the faces of the detector in the settings that this one finds as well.
        ms_a_frame: median time per picture, in milliseconds.
    """

    detector: str
    frames: int
    faces: int
    shared: float
    ms_a_frame: float


@dataclass(frozen=True)
class NetworkFigures:
    """Speed of one network, on one thread.

    Attributes:
        model: its file.
        size_mb: of the file, in 10^6 bytes.
        ms_a_face: time per face, median over rounds of 32 faces, in milliseconds.
        least_ms_a_face: the same, in the fastest round.
    """

    model: str
    size_mb: float
    ms_a_face: float
    least_ms_a_face: float


def compare_detectors(clips: Sequence[Path], settings: Settings) -> list[DetectorFigures]:
    """Run every installed detector on the same frames, in turn.

    Args:
        clips: videos; 24 frames of each are used.
        settings: ``detect`` gives the width of the pictures and the least score.
    """
    cv2.setNumThreads(1)
    detectors = _installed_detectors(settings)
    times_s: dict[str, list[float]] = {name: [] for name in detectors}
    faces = dict.fromkeys(detectors, 0)
    shared = dict.fromkeys(detectors, 0)
    for clip in clips:
        for image in _some_frames(clip, settings):
            found = {}
            for name, detector in detectors.items():
                started_s = perf_counter()
                found[name] = detector.find(image).boxes
                times_s[name].append(perf_counter() - started_s)
                faces[name] += len(found[name])
            expected = found[settings.detect.detector]
            for name, boxes in found.items():
                shared[name] += sum(iou(box, boxes).max(initial=0) >= SAME_FACE for box in expected)
    expected_faces = max(1, faces[settings.detect.detector])
    return [
        DetectorFigures(
            name,
            len(times_s[name]),
            faces[name],
            shared[name] / expected_faces,
            median(times_s[name] or [0.0]) * 1000,
        )
        for name in detectors
    ]


def compare_networks(models: Sequence[Path], further: Sequence[Path] = ()) -> list[NetworkFigures]:
    """Time networks on random faces of the size that each takes, in turn.

    Args:
        models: that classify expressions.
        further: with other outputs.
    """
    runs = {model: _run_of(Network(model, expressions=True)) for model in models}
    runs |= {file: _run_of(Network(file)) for file in further}
    times_ms: dict[Path, list[float]] = {file: [] for file in runs}
    for _ in range(ROUNDS):
        for file, run in runs.items():
            started_s = perf_counter()
            run()
            times_ms[file].append((perf_counter() - started_s) * 1000 / FACES)
    return [
        NetworkFigures(
            str(file), file.stat().st_size / 1e6, median(times_ms[file]), min(times_ms[file])
        )
        for file in runs
    ]


def _run_of(network: Network) -> Callable[[], object]:
    """What runs a network on faces, from crops to outputs."""
    shape = FACES, *network.crop.shape
    faces = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return lambda: network.classify(faces)


def _installed_detectors(settings: Settings) -> dict[str, Detector]:
    detectors = {}
    for name in DETECTORS:
        chosen = settings.detect.model_copy(update={"detector": name})
        try:
            detectors[name] = make_detector(chosen)
        except EmotionTimelinesError:
            if name == settings.detect.detector:
                raise
    return detectors


def _some_frames(clip: Path, settings: Settings) -> Iterator[np.ndarray]:
    """Downscaled frames, evenly spread over a video."""
    with VideoReader(clip, settings.read) as reader:
        step = max(1, reader.info.frames // FRAMES_PER_CLIP)
        for batch in reader.batches():
            images = SmallImages(batch.pixels, settings.detect.width_px)
            for index in range(-batch.first_frame % step, len(batch), step):
                yield images[index]


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
    classifier = NetworkStage(settings)
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
    clip: Path, reference: Settings, settings: Settings, shrink: int, classifier: NetworkStage
) -> np.ndarray:
    """Faces, found, more, sum of IoUs, same emotion, small faces, those found: (7,)."""
    counts, detector = np.zeros(7), make_detector(settings.detect)
    with VideoReader(clip, settings.read) as reader:
        small = _small_info(reader.info, shrink)
        expecting = find_stages(detector, reader.info, reference)
        finding = find_stages(detector, small, settings)
        longer_side = max(reader.info.width, reader.info.height)
        small_px = SMALL_FACE_PX * max(1.0, longer_side / reference.detect.width_px)
        scale = np.tile((reader.info.width / small.width, reader.info.height / small.height), 2)
        for batch in reader.batches():
            if len(batch) and batch.time_s[0] > MAX_VIDEO_S:
                break
            expected = classifier.process(through(expecting, batch))
            found = classifier.process(through(finding, _small_batch(batch, small)))
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
