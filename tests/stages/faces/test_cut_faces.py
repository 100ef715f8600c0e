"""Crops of every kind show what is at their places in the picture, in its colours."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from configs.schema import UsableSettings
from models.crops import ARCFACE_LANDMARKS, FER_LANDMARKS, OWN, Crop, arcface_landmarks
from models.crops import fer_landmarks as fer
from stages.batch import FrameBatch, VideoInfo
from stages.colours import BT601, BT709
from stages.faces.align import AlignStage
from stages.faces.cut_faces import CropStage
from tests.stages.batches import batch_of

WIDTH, HEIGHT = 320, 240

LUMA_OF = {BT601: (0.299, 0.587, 0.114), BT709: (0.2126, 0.7152, 0.0722)}
"""ITU-R BT.601 and BT.709."""

BOX = (130.0, 80.0, 60.0, 72.0)
FACE = np.array([(146.2, 108.9), (175.4, 112.3), (160.8, 126.0), (149.5, 138.6), (171.6, 140.2)])


def scene(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Red, green and blue at places of a picture, 0 to 255: they change slowly, each in its way."""
    return np.stack([
        128 + 100 * np.sin(x / 23) * np.cos(y / 31),
        128 + 100 * np.cos(x / 29 + 1),
        128 + 100 * np.sin(y / 19 + x / 47),
    ], axis=-1)  # fmt: skip


def filmed(colorspace: int) -> np.ndarray:
    """The scene as planar YUV 4:2:0 of limited range; chroma is left of its four pixels' centre."""
    red, green, blue = LUMA_OF[colorspace]

    def yuv(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        rgb = scene(x, y)
        luma = rgb @ (red, green, blue)
        u, v = (rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)
        return 16 + luma * 219 / 255, 128 + u * 224 / 255, 128 + v * 224 / 255

    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    luma = yuv(columns, rows)[0]
    _, u, v = yuv(columns[::2, ::2], rows[::2, ::2] + 0.5)
    planes = np.concatenate([plane.reshape(-1) for plane in (luma, u, v)])
    return planes.round().astype(np.uint8).reshape(HEIGHT * 3 // 2, WIDTH)


def cropped(kind: Crop, colorspace: int = BT709) -> np.ndarray:
    aligned = AlignStage(UsableSettings()).process(face_in(filmed(colorspace)))
    further = [] if kind.is_own else [kind]
    return CropStage(further, colorspace).process(aligned).crops_of(kind)[0]


def face_in(pixels: np.ndarray) -> FrameBatch:
    return replace(
        batch_of([[BOX]]), pixels=pixels[None], landmarks=FACE[None].astype(np.float32)
    )  # fmt: skip


def expected_at(x: np.ndarray, y: np.ndarray, colour: bool, colorspace: int) -> np.ndarray:
    rgb = scene(x, y)
    return rgb if colour else rgb @ LUMA_OF[colorspace]


def places_of_landmarks(targets: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where in the picture the pixels of a crop are: least squares for a turn, a zoom and a shift,
    solved as linear equations."""
    equations = np.zeros((10, 4))
    equations[::2] = np.column_stack([FACE[:, 0], -FACE[:, 1], np.ones(5), np.zeros(5)])
    equations[1::2] = np.column_stack([FACE[:, 1], FACE[:, 0], np.zeros(5), np.ones(5)])
    a, b, c, d = np.linalg.lstsq(equations, targets.reshape(-1), rcond=None)[0]
    rows, columns = np.mgrid[:size, :size].astype(float)
    back = np.linalg.inv([[a, -b], [b, a]])
    x, y = np.tensordot(back, np.stack([columns - c, rows - d]), 1)
    return x, y


@pytest.mark.parametrize("colorspace", [BT601, BT709])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(
    ("size", "landmarks"),
    [
        (48, FER_LANDMARKS),
        (112, ARCFACE_LANDMARKS),
        (64, ((20, 24), (44, 24), (32, 38), (24, 50), (40, 50))),
    ],
)
def test_aligned_faces(
    colorspace: int, colour: bool, size: int, landmarks: tuple[tuple[float, float], ...]
) -> None:
    found = cropped(Crop(size, colour, landmarks), colorspace)
    x, y = places_of_landmarks(np.array(landmarks, float), size)
    assert found.dtype == np.uint8
    difference = np.abs(found - expected_at(x, y, colour, colorspace))
    assert difference.mean() < 0.8
    assert difference.max() < 5


@pytest.mark.parametrize("margin", [0.0, 0.25, -0.2])
@pytest.mark.parametrize("size", [24, 96, 224])
def test_a_box_with_a_margin(margin: float, size: int) -> None:
    side = 72 * (1 + 2 * margin)
    left, top = 160 - side / 2, 116 - side / 2
    middles = (np.arange(size) + 0.5) * side / size - 0.5  # From centre to centre of pixels.
    x, y = np.meshgrid(left + middles, top + middles)
    found = cropped(Crop(size, True, margin=margin))
    difference = np.abs(found - scene(x, y))
    assert difference.mean() < 0.8
    assert difference.max() < 5


def test_templates_of_other_sizes_show_the_same() -> None:
    """A pixel of a template of half the size has the mean of the four that it covers."""
    for large, small in (
        (Crop(96, True, fer(96)), Crop(48, True, fer(48))),
        (Crop(96, False, fer(96)), OWN),
    ):
        halved = cropped(large).reshape(48, 2, 48, 2, -1).mean(axis=(1, 3)).squeeze()
        assert np.abs(halved - cropped(small)).max() < 3
    assert arcface_landmarks(224)[0] == pytest.approx((76.5892, 103.3926))


def test_a_stream_that_gets_another_colour_space_keeps_its_colours() -> None:
    stage = CropStage([Crop(32, True)], BT709)
    info = VideoInfo(WIDTH, HEIGHT, Fraction(1, 25), 0, 0, Fraction(25), 0, 0, "h264", BT601, 2, 2)
    expected = cropped(Crop(32, True), BT601)
    found = stage.process(replace(face_in(filmed(BT601)), info=info)).crops_of(Crop(32, True))[0]
    np.testing.assert_array_equal(found, expected)


def test_a_batch_without_faces_passes() -> None:
    batch = CropStage([Crop(32, True)], BT709).process(batch_of([[], []]))
    assert batch.crops_of(Crop(32, True)).shape == (0, 32, 32, 3)
