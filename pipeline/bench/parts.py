"""Compare the parts that a user can choose: detectors and networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np

from configs.errors import EmotionTimelinesError
from configs.schema import Settings
from models.emotion_network import Classifier, load_classifier
from models.face_network import FaceNetwork
from pipeline.bench.recall import SAME_FACE
from stages.faces.detect import DETECTORS, make_detector
from stages.faces.detector import Detector
from stages.faces.images import SmallImages
from stages.geometry import iou
from stages.read.video import VideoReader

FRAMES_PER_CLIP = 24
FACES = 32
ROUNDS = 15


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
    runs = {model: _run_of(load_classifier(model)) for model in models}
    runs |= {file: _run_of(FaceNetwork(file)) for file in further}
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


def _run_of(network: Classifier | FaceNetwork) -> Callable[[], object]:
    """What runs a network on faces, from crops to outputs."""
    shape = FACES, *network.crop.shape
    faces = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    if isinstance(network, FaceNetwork):
        return lambda: network.predict(faces)
    return lambda: network.classify(faces, np.full(FACES, network.crop.size_px))


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
