"""Drawing: frames and labels, inside any picture, and nothing elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.emotions import EMOTIONS
from stages.batch import NOBODY, FrameBatch
from stages.colours import BT601
from stages.frames import yuv_planes
from stages.write.annotate import Annotator
from tests.stages.batches import Box, batch_of

SIZE = WIDTH, HEIGHT = 640, 360


def annotated(batch: FrameBatch, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Its first frame drawn on grey: (h * 3 / 2, w) uint8."""
    pixels = np.full((height * 3 // 2, width), 128, np.uint8)
    Annotator(width, height, BT601).draw(yuv_planes(pixels), batch, 0)
    return pixels


def smiling(*boxes: Box, emotion: str = "happy") -> FrameBatch:
    batch = batch_of([boxes])
    probabilities = np.full((len(boxes), 7), 0.02, np.float32)
    probabilities[:, EMOTIONS.index(emotion)] = 0.88
    return replace(
        batch,
        people=np.arange(1, len(boxes) + 1),
        probabilities=probabilities,
        usable=np.ones(len(boxes), np.bool_),
    )


@pytest.mark.parametrize("size", [(640, 360), (16, 16), (2, 2), (1920, 1080), (40, 700)])
@pytest.mark.parametrize(
    "place",
    [(0.3, 0.3, 0.3, 0.4), (0, 0, 1, 1), (0, 0, 0.2, 0.2), (0.9, 0.9, 0.1, 0.1),
     (-0.2, -0.3, 0.4, 0.5), (0.8, 0.7, 0.6, 0.9), (-2, -2, 1, 1), (3, 3, 1, 1),
     (0.5, 0.5, 0, 0)],
)  # fmt: skip
def test_any_box_in_any_picture_can_be_drawn(size: tuple[int, int], place: Box) -> None:
    width, height = size
    box = (place[0] * width, place[1] * height, place[2] * width, place[3] * height)
    assert annotated(smiling(box, emotion="surprise"), width, height).shape == (
        height * 3 // 2,
        width,
    )


@pytest.mark.parametrize(
    "box", [(201, 151, 99, 120), (20, 3, 80, 90), (-40, 100, 99, 120), (20, -50, 80, 90)]
)
def test_only_the_frame_and_the_label_change(box: tuple[int, ...]) -> None:
    x, y, width, height = box
    for plane, share in zip(yuv_planes(annotated(smiling(box))), (1, 2, 2), strict=True):
        rows, columns = np.nonzero(plane != 128)
        rows, columns = rows * share, columns * share
        assert columns.min() >= x - 6
        assert columns.max() <= x + max(width, 160) + 6
        assert rows.min() >= y - 32
        assert rows.max() <= y + height + 32
        # The face itself stays visible.
        left, top = max(x + 12, 0) // share, max(y + 12, 0) // share
        face = plane[top : (y + height - 12) // share, left : (x + width - 12) // share]
        assert (face == 128).all()
        assert len(rows) > 0


def test_a_label_is_inside_the_picture_at_every_edge() -> None:
    """A label has as many pixels at the edge as elsewhere."""
    middle = (annotated(smiling((300, 150, 40, 50))) != 128)[:HEIGHT].sum()
    for box in [(595, 150, 40, 50), (595, 4, 40, 50), (4, 4, 40, 50), (300, 306, 40, 50)]:
        assert (annotated(smiling(box)) != 128)[:HEIGHT].sum() == pytest.approx(middle, rel=0.1)


def test_a_label_covers_no_other_face_and_no_other_label() -> None:
    """Faces in a row, and one below another: each label goes where there is room."""
    row = [(40.0 + 60 * number, 150.0, 44.0, 56.0) for number in range(9)]
    for boxes in (row[:2], row[::2], [(100, 100, 60, 80), (104, 185, 60, 80)]):
        alone = [annotated(smiling(box))[:HEIGHT] != 128 for box in boxes]
        together = (annotated(smiling(*boxes))[:HEIGHT] != 128).sum()
        for x, y, width, height in boxes:
            face = annotated(smiling(*boxes))[int(y) + 8 : int(y + height) - 8,
                                              int(x) + 8 : int(x + width) - 8]  # fmt: skip
            assert (face == 128).all()
        assert together == pytest.approx(sum(mask.sum() for mask in alone), rel=0.05)


@pytest.mark.parametrize(
    ("size", "text_px"), [((640, 360), 14), ((1920, 1080), 30), ((3840, 2160), 60)]
)
def test_letters_have_the_size_of_the_picture(size: tuple[int, int], text_px: int) -> None:
    """A large face: its plate is a little higher than its letters."""
    width, height = size
    box = (width * 0.4, height * 0.4, width * 0.3, height * 0.5)
    rows = np.nonzero((annotated(smiling(box), width, height)[:height] != 128).any(axis=1))[0]
    assert text_px <= box[1] - rows.min() <= 1.6 * text_px


def test_what_cannot_be_relied_on_is_paler() -> None:
    box = (200, 150, 100, 120)
    sure = smiling(box)
    unsure = np.full((1, 7), 0.7 / 6, np.float32)
    unsure[0, EMOTIONS.index("happy")] = 0.3

    def colour_of_frame(batch: FrameBatch) -> float:
        u = yuv_planes(annotated(batch))[1]
        return abs(float(u[105, 100]) - 128)

    vivid = colour_of_frame(sure)
    for pale in (replace(sure, usable=np.array([False])), replace(sure, probabilities=unsure)):
        assert 0.3 * vivid < colour_of_frame(pale) < 0.7 * vivid


def test_emotions_differ_in_colour_and_text() -> None:
    drawn = [annotated(smiling((200, 150, 100, 120), emotion=emotion)) for emotion in EMOTIONS]
    for index, one in enumerate(drawn):
        for other in drawn[index + 1 :]:
            assert (one != other).any()


def test_a_frame_without_faces_stays_as_it_is() -> None:
    assert (annotated(batch_of([[]])) == 128).all()


def test_only_the_faces_of_the_frame_are_drawn() -> None:
    batch = replace(smiling((200, 150, 100, 120)), face_frame=np.array([1]))
    assert (annotated(batch) == 128).all()


def test_faces_are_blurred_also_those_that_are_not_shown() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(30, 220, (HEIGHT * 3 // 2, WIDTH)).astype(np.uint8)
    before = pixels.copy()
    batch = smiling((100, 100, 80, 100), (400, 150, 60, 70))
    batch = replace(batch, people=np.array([1, NOBODY]))
    Annotator(WIDTH, HEIGHT, BT601, blur=True).draw(yuv_planes(pixels), batch, 0)
    for plane, old, share in zip(yuv_planes(pixels), yuv_planes(before), (1, 2, 2), strict=True):
        for x, y, width, height in ((110, 110, 60, 80), (400, 150, 60, 70)):
            area = slice(y // share, (y + height) // share), slice(x // share, (x + width) // share)
            assert len(np.unique(plane[area])) <= 25
            assert np.corrcoef(plane[area].ravel(), old[area].ravel())[0, 1] < 0.3
        assert (plane[-20 // share :] == old[-20 // share :]).all()
