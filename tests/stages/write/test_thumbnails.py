"""Thumbnails: the picture with the best score and size is kept of each person."""

import cv2
import numpy as np

from stages.batch import FrameBatch
from stages.write.thumbnails import SIDE_PX, Thumbnails


def frame(brightness: int, box: tuple[int, int, int, int]) -> np.ndarray:
    """A black frame with a grey square in place of a face, planar YUV."""
    x, y, width, height = box
    image = np.zeros((240, 320, 3), np.uint8)
    image[y : y + height, x : x + width] = brightness
    return cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)


def test_the_best_face_of_each_person_is_kept() -> None:
    boxes = [(20, 20, 24, 24), (100, 60, 80, 80), (200, 20, 30, 30)]
    batch = FrameBatch(
        first_frame=0,
        pts=np.arange(3),
        time_s=np.arange(3) / 25,
        pixels=np.stack([frame(60 * (n + 1), box) for n, box in enumerate(boxes)]),
        face_frame=np.arange(3),
        boxes=np.array(boxes, np.float32),
        scores=np.full(3, 0.9, np.float32),
        people=np.array([1, 1, 2]),
    )
    thumbnails = Thumbnails()
    thumbnails.process(batch)
    images = {
        track: cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        for track, jpeg in thumbnails.jpegs().items()
    }
    assert images.keys() == {1, 2}
    for track, brightness in ((1, 120), (2, 180)):
        assert images[track].shape == (SIDE_PX, SIDE_PX)
        assert abs(int(images[track][SIDE_PX // 2, SIDE_PX // 2]) - brightness) < 12
        assert images[track][2, 2] < 30  # Room about the face.
