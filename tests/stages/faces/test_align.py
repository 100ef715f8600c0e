"""Alignment: landmarks are moved to the positions of FER-2013's faces."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from stages.faces.align import TEMPLATE_PX, AlignStage, aligned_crop
from stages.geometry import similarity_transform
from tests.stages.batches import batch_of


def placed_face(scale: float, degrees: float, centre: tuple[float, float]) -> np.ndarray:
    """The template's landmarks in a picture: enlarged, turned, moved; (5, 2)."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (TEMPLATE_PX - 23.5) @ turn.T * scale + centre


def blob_at(crop: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Centre of the bright blob around a place: x and y."""
    left, top = np.round(place).astype(int) - 4
    weights = crop[top : top + 9, left : left + 9].astype(float)
    rows, columns = np.mgrid[top : top + 9, left : left + 9]
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.5, 2.6, 4.0, 7.3])
@pytest.mark.parametrize("degrees", [0, 25, -60, 180])
def test_landmarks_land_on_the_template(scale: float, degrees: float) -> None:
    points = placed_face(scale, degrees, (320.3, 240.7))
    rows, columns = np.mgrid[:480, :640]
    picture = np.zeros((480, 640))
    for x, y in points:
        picture += 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (1.3 * scale) ** 2))
    crop = aligned_crop(picture.clip(0, 255).astype(np.uint8), points.astype(np.float32))
    assert crop.shape == (48, 48)
    for place in TEMPLATE_PX:
        assert np.hypot(*(blob_at(crop, place) - place)) < 0.5


@pytest.mark.parametrize("scale", [2.3, 5.0, 11.4])
@pytest.mark.parametrize("centre", [(400, 300), (20, 300), (790, 10)])
def test_large_faces_look_as_if_cut_from_a_blurred_picture(
    scale: float, centre: tuple[int, int]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 800)).astype(np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 2 * scale)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    points = placed_face(scale, 15, centre)
    blurred = cv2.GaussianBlur(picture, (0, 0), scale / 12**0.5)  # As wide as a box of `scale`.
    transform = similarity_transform(points, TEMPLATE_PX)
    expected = cv2.warpAffine(blurred, transform, (48, 48), borderMode=cv2.BORDER_REPLICATE)
    difference = np.abs(aligned_crop(picture, points).astype(float) - expected)
    assert difference.mean() < 2
    assert np.percentile(difference, 99) < 8


def test_fine_stripes_become_grey() -> None:
    picture = np.zeros((600, 800), np.uint8)
    picture[:, ::2] = 255
    crop = aligned_crop(picture, placed_face(6.0, 0, (400, 300)))
    assert crop.mean() == pytest.approx(127.5, abs=3)
    assert crop.std() < 12  # Bilinear sampling alone: 127.


@pytest.mark.parametrize("centre", [(0, 0), (-30, 50), (799, 599), (2000, 2000)])
@pytest.mark.parametrize("scale", [0.3, 1.0, 9.0])
def test_faces_at_the_edge_and_beyond_are_cropped(centre: tuple[int, int], scale: float) -> None:
    picture = np.full((600, 800), 90, np.uint8)
    assert (aligned_crop(picture, placed_face(scale, 30, centre)) == 90).all()


def test_landmarks_in_one_point_do_not_crash() -> None:
    assert aligned_crop(np.zeros((20, 20), np.uint8), np.full((5, 2), 7.0)).shape == (48, 48)


def test_limited_range_is_expanded() -> None:
    """Black is 16 and white 235 in video; FER-2013's are 0 and 255."""
    pixels = np.full((3, 180, 160), 128, np.uint8)
    for frame, luma in zip(pixels, (16, 126, 235), strict=True):
        frame[:120] = luma
    batch = replace(
        batch_of([[(60, 40, 48, 48)]] * 3),
        pixels=pixels,
        landmarks=np.stack([placed_face(1, 0, (80, 60))] * 3).astype(np.float32),
    )
    crops = AlignStage().process(batch).crops
    assert crops.dtype == np.uint8
    assert [int(crop.mean()) for crop in crops] == [0, 128, 255]


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.5])
def test_the_side_of_a_face_in_the_picture_is_known(scale: float) -> None:
    batch = replace(
        batch_of([[(60, 40, 48, 48)]]),
        pixels=np.full((1, 360, 320), 128, np.uint8),
        landmarks=placed_face(scale, 20, (160, 120))[None].astype(np.float32),
    )
    assert AlignStage().process(batch).crop_sides == pytest.approx([48 * scale], rel=1e-4)


def test_the_worst_landmark_tells_how_far_a_face_is_from_the_template() -> None:
    """A nose that is moved sideways, as on a face from the side, on faces of any size and turn."""
    moved = TEMPLATE_PX.copy()
    moved[2, 0] += 12
    transform = similarity_transform(moved, TEMPLATE_PX)
    placed = moved @ transform[:, :2].T + transform[:, 2]
    expected = np.hypot(*(placed - TEMPLATE_PX).T).max()
    turn = 3.5 * np.array([[0.6, 0.8], [-0.8, 0.6]])
    batch = replace(
        batch_of([[(60, 40, 48, 48)]] * 2),
        pixels=np.full((2, 360, 320), 128, np.uint8),
        landmarks=np.stack([moved, moved @ turn + 90]).astype(np.float32),
    )
    errors = AlignStage().process(batch).landmark_errors
    assert errors == pytest.approx([expected] * 2, abs=1e-3)
    assert errors.min() > 4  # The limit of what is usable.


def test_a_batch_without_faces_passes() -> None:
    assert AlignStage().process(batch_of([[], []])).crops.shape == (0, 48, 48)
