"""Small pictures: of each person the best face is kept, of a video the frame with most of them."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from stages.batch import FrameBatch, VideoInfo
from stages.colours import BT601
from stages.write.portraits import SIDE_PX, Portraits, Still

INFO = VideoInfo(
    width=320, height=240, time_base=Fraction(1, 25), start_pts=0, start_s=0.0, rate=Fraction(25),
    frames=3, duration_s=0.12, codec="raw", colorspace=BT601, color_primaries=2, color_trc=2,
)  # fmt: skip
BOXES = [(20, 20, 24, 24), (100, 60, 80, 80), (200, 20, 30, 30)]


def frame(brightness: int, box: tuple[int, int, int, int]) -> np.ndarray:
    """A black frame with a grey square in place of a face, planar YUV."""
    x, y, width, height = box
    image = np.zeros((240, 320, 3), np.uint8)
    image[y : y + height, x : x + width] = brightness
    return cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)


def three_frames() -> FrameBatch:
    """A face in each, of two people."""
    return FrameBatch(
        first_frame=0,
        pts=np.arange(3),
        time_s=np.arange(3) / 25,
        pixels=np.stack([frame(60 * (n + 1), box) for n, box in enumerate(BOXES)]),
        face_frame=np.arange(3),
        boxes=np.array(BOXES, np.float32),
        scores=np.full(3, 0.9, np.float32),
        people=np.array([1, 1, 2]),
    )


def grey(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_the_best_face_of_each_person_is_kept() -> None:
    portraits = Portraits(INFO)
    portraits.process(three_frames())
    images = {track: grey(jpeg) for track, jpeg in portraits.jpegs().items()}
    assert images.keys() == {1, 2}
    for track, brightness in ((1, 120), (2, 180)):
        assert images[track].shape == (SIDE_PX, SIDE_PX)
        assert abs(int(images[track][SIDE_PX // 2, SIDE_PX // 2]) - brightness) < 12
        assert images[track][2, 2] < 30  # Room about the face.


def test_a_better_face_is_counted_and_had_by_itself() -> None:
    batch, portraits = three_frames(), Portraits(INFO)
    portraits.process(batch)
    assert [portraits.pictures_of(person) for person in (1, 2, 3)] == [2, 1, 0]
    assert portraits.jpeg(1) == portraits.jpegs()[1]
    assert portraits.jpeg(3) is None
    portraits.process(batch)  # None of them is better.
    assert portraits.pictures_of(1) == 2


@pytest.mark.parametrize("blur", [False, True])
def test_the_frame_with_the_largest_face_stands_for_a_video(blur: bool) -> None:
    still = Still(INFO, blur)
    assert still.jpeg() is None
    batch = three_frames()
    # Half of the face is dark, which is gone if it is blurred.
    batch.pixels[1, 60:140, 100:180:2] = 16
    still.process(batch)
    image = grey(still.jpeg() or b"")
    assert image.shape == (240, 320)
    face = image[80:120, 120:160]
    assert face.mean() > 30
    assert bool(face.std() < 5) is blur
    assert image[:50].max() < 30


def test_without_a_face_a_black_frame_does_not_stand_for_a_video() -> None:
    still = Still(INFO, blur=False)
    empty = FrameBatch(first_frame=0, pts=np.arange(1), time_s=np.zeros(1))
    for brightness in (0, 200):
        pixels = frame(brightness, (100, 60, 80, 80))[None]
        still.process(FrameBatch(**{**vars(empty), "pixels": pixels}))
    assert grey(still.jpeg() or b"").max() > 150
