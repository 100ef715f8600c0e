"""Searching some pictures finds the faces that searching all of them finds."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from configs.schema import DetectSettings, ReadSettings
from stages.faces.detect import make_detector
from stages.faces.detector import NO_FACES, Faces, SmallImages
from stages.faces.search import FaceSearch
from stages.geometry import iou
from stages.read.video_reader import VideoReader

HEIGHT, WIDTH, RATE = 360, 640, 30
SIDE = 40


class Pictures:
    """Pictures of one size."""

    def __init__(self, images: np.ndarray) -> None:
        self._images = images

    def __getitem__(self, index: int) -> np.ndarray:
        return self._images[index]

    def thumbnail(self, index: int) -> np.ndarray:
        return cv2.resize(
            self._images[index, ..., 0], (32, 18), interpolation=cv2.INTER_AREA
        ).astype(np.int16)


class BrightSquares:
    """Stands in for a detector: finds squares by the brightness that tells them apart."""

    def __init__(self) -> None:
        self.searched_px = 0

    def find(self, image: np.ndarray) -> Faces:
        self.searched_px += image.shape[0] * image.shape[1]
        boxes = []
        for brightness in np.unique(image[..., 0])[1:]:
            rows, columns = np.nonzero(image[..., 0] == brightness)
            if len(rows) == SIDE * SIDE:
                boxes.append((columns.min(), rows.min(), SIDE, SIDE))
        if not boxes:
            return NO_FACES
        corners = np.array(boxes, np.float32)
        landmarks = np.repeat(corners[:, None, :2] + SIDE / 2, 5, axis=1)
        return Faces(corners, landmarks, np.full(len(boxes), 0.9, np.float32))


def pictures(*paths: dict[int, tuple[int, int]], count: int = 32) -> np.ndarray:
    """Pictures in which each path puts a square at (x, y), frame by frame."""
    images = np.zeros((count, HEIGHT, WIDTH, 3), np.uint8)
    for number, path in enumerate(paths, 1):
        for frame, (x, y) in path.items():
            images[frame, y : y + SIDE, x : x + SIDE] = 50 * number
    return images


def search(images: np.ndarray, look_ahead: bool = True) -> tuple[list[Faces], float]:
    """The faces found, and the share of all pixels that was searched."""
    detector = BrightSquares()
    faces = FaceSearch(detector, interval_s=0.2, look_ahead=look_ahead)
    time_s = np.arange(len(images)) / RATE
    step = 16 if look_ahead else 2
    found = [
        entry
        for first in range(0, len(images), step)
        for entry in faces.find(
            Pictures(images[first : first + step]), time_s[first : first + step]
        )
    ]
    return found, detector.searched_px / (len(images) * HEIGHT * WIDTH)


def test_a_face_that_hardly_moves_costs_little_and_is_followed_exactly() -> None:
    path = {frame: (300 + frame // 4, 100) for frame in range(32)}
    found, searched = search(pictures(path))
    assert searched < 0.25
    for frame, faces in enumerate(found):
        np.testing.assert_allclose(faces.boxes[:, :2], [path[frame]], atol=1)


def test_faces_that_come_and_go_are_found_in_their_first_and_last_frame() -> None:
    visible = range(9, 25)
    stays = dict.fromkeys(range(32), (100, 200))
    comes = dict.fromkeys(visible, (400, 50))
    found, searched = search(pictures(stays, comes))
    assert [len(faces) for faces in found] == [2 if frame in visible else 1 for frame in range(32)]
    assert searched < 0.6


def test_a_face_that_jumps_is_where_it_is() -> None:
    path = {frame: (100, 100) if frame < 13 else (180, 100) for frame in range(32)}
    found, _ = search(pictures(path))
    for frame, faces in enumerate(found):
        np.testing.assert_array_equal(faces.boxes[:, :2], [path[frame]])


def test_a_face_that_is_missed_for_a_moment_is_missed_only_then() -> None:
    hidden = {15, 16, 17, 31}
    path = {frame: (100, 100) for frame in range(32) if frame not in hidden}
    found, _ = search(pictures(path))
    missed = {frame for frame, faces in enumerate(found) if not len(faces)}
    assert missed == hidden


def test_a_face_that_comes_and_goes_between_two_whole_pictures_is_found() -> None:
    stays = dict.fromkeys(range(32), (100, 200))
    visible = range(3, 11)  # 0.27 s, while the last picture of each 16 is searched as a whole.
    comes = dict.fromkeys(visible, (400, 50))
    found, searched = search(pictures(stays, comes))
    assert [len(faces) for faces in found] == [2 if frame in visible else 1 for frame in range(32)]
    assert searched < 0.6


def test_a_face_that_moves_evenly_is_searched_less_than_one_that_does_not() -> None:
    evenly = {frame: (100 + frame, 100) for frame in range(32)}
    restless = {frame: (100 + frame + 3 * (frame % 3), 100) for frame in range(32)}
    (found, little), (_, much) = (search(pictures(path)) for path in (evenly, restless))
    assert little < 0.75 * much
    for frame, faces in enumerate(found):
        np.testing.assert_allclose(faces.boxes[:, :2], [evenly[frame]], atol=1)


def test_live_faces_are_followed_without_later_frames() -> None:
    path = {frame: (100 + 6 * frame, 100) for frame in range(32)}
    late = dict.fromkeys(range(13, 32), (400, 250))
    found, searched = search(pictures(path, late), look_ahead=False)
    for frame, faces in enumerate(found):
        assert path[frame] in [tuple(box[:2]) for box in faces.boxes]
    assert all(len(faces) == 2 for faces in found[13 + 6 :])
    assert searched < 0.8


def test_live_searches_little_while_a_face_stands_still() -> None:
    path = {frame: (300 + frame // 8, 100) for frame in range(32)}
    found, searched = search(pictures(path), look_ahead=False)
    assert searched < 0.25
    for frame, faces in enumerate(found):
        np.testing.assert_allclose(faces.boxes[:, :2], [path[frame]], atol=2)


def test_after_a_gap_all_faces_are_forgotten() -> None:
    detector = BrightSquares()
    faces = FaceSearch(detector, interval_s=0.2, look_ahead=False)
    path = dict.fromkeys(range(4), (100, 100))
    faces.find(Pictures(pictures(path, count=4)), np.arange(4) / RATE)
    faces.forget()
    detector.searched_px = 0
    faces.find(Pictures(pictures(count=1)), np.array([4 / RATE]))
    assert detector.searched_px == HEIGHT * WIDTH


@pytest.mark.parametrize("name", ["stage_cuts_360p.mp4", "portrait_720p.mp4"])
def test_real_faces_are_found_as_if_every_picture_were_searched(
    further_clips: Path, name: str
) -> None:
    detector = make_detector(DetectSettings())
    found = FaceSearch(detector, interval_s=0.2, look_ahead=True)
    expected_faces = same = extra = 0
    with VideoReader(further_clips / name, ReadSettings()) as reader:
        for batch in reader.batches():
            if batch.time_s[0] > 6:
                break
            images = SmallImages(batch.pixels, width_px=640)
            for index, faces in enumerate(found.find(images, batch.time_s)):
                expected = detector.find(images[index])
                shared = iou(expected.boxes[:, None], faces.boxes[None]) > 0.5
                expected_faces += len(expected)
                same += int(shared.any(axis=1).sum())
                extra += len(faces) - int(shared.any(axis=0).sum())
    assert expected_faces > 100
    assert same >= 0.99 * expected_faces
    assert extra <= 0.01 * expected_faces
