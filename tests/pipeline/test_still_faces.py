"""Faces of labelled pictures are cut as those of video are."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from configs.schema import DetectSettings, ReadSettings, UsableSettings
from models.dataset import load_folder
from pipeline.still_faces import make_face_cutter
from stages.faces.align import FULL_RANGE, AlignStage
from stages.faces.detect import DetectStage, make_detector
from stages.frames import yuv_planes
from stages.read.video_reader import VideoReader


@pytest.fixture(scope="module")
def frame(samples: dict[str, Path]) -> tuple[np.ndarray, np.ndarray]:
    """A frame of a sample clip, grey, and its only face, cut by the pipeline."""
    with VideoReader(samples["single_face.mp4"], ReadSettings()) as reader:
        batch = next(reader.batches())
        detect = DetectStage(make_detector(DetectSettings()), reader.info, DetectSettings())
        faces = AlignStage(UsableSettings()).process(detect.process(batch))
    assert faces.face_frame[:2].tolist() == [0, 1]
    return FULL_RANGE[yuv_planes(batch.pixels[0])[0]], faces.crops[0]


@pytest.mark.parametrize("zoom", [1.0, 0.5, 2.0])
def test_face_of_a_large_picture_is_cut_like_that_of_a_video(
    frame: tuple[np.ndarray, np.ndarray], zoom: float
) -> None:
    picture = cv2.resize(frame[0], None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    difference = np.abs(make_face_cutter()(picture)[0].astype(float) - frame[1])
    assert difference.mean() < 15  # 60 for other parts of the picture


def test_picture_that_shows_only_a_face_is_laid_on_the_template(
    frame: tuple[np.ndarray, np.ndarray],
) -> None:
    turn = cv2.getRotationMatrix2D((23.5, 23.5), 20, 0.9)
    turned = cv2.warpAffine(frame[1], turn, (48, 48), borderMode=cv2.BORDER_REPLICATE)
    assert abs(tilt_degrees(turned)) > 12
    assert abs(tilt_degrees(make_face_cutter()(turned)[0])) < 5


def tilt_degrees(face: np.ndarray) -> float:
    """Angle of the line between the eyes."""
    enlarged = cv2.cvtColor(cv2.resize(face, (240, 240)), cv2.COLOR_GRAY2BGR)
    landmarks = make_detector(DetectSettings()).find(enlarged).landmarks
    across, down = landmarks[0, 1] - landmarks[0, 0]
    return float(np.degrees(np.arctan2(down, across)))


def test_picture_without_a_face_is_taken_whole(tmp_path: Path) -> None:
    (tmp_path / "sad").mkdir()
    picture = np.tile(np.arange(96, dtype=np.uint8), (96, 1))
    cv2.imwrite(str(tmp_path / "sad" / "wall.png"), picture)
    faces = load_folder(tmp_path, make_face_cutter())
    expected = cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(faces.images[0], expected)
