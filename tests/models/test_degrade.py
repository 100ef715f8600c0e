"""Faces are given the faults of video, reproducibly, and stay faces."""

import cv2
import numpy as np
import pytest

from models.degrade import as_in_video, shrunk


@pytest.fixture
def face() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1)


def detail(image: np.ndarray) -> float:
    return float(cv2.Laplacian(image, cv2.CV_64F).std())


def test_a_smaller_face_has_less_detail_and_the_same_light(face: np.ndarray) -> None:
    sizes = [shrunk(face, side_px) for side_px in (48, 24, 16)]
    assert (sizes[0] == face).all()
    assert detail(sizes[0]) > 2 * detail(sizes[1]) > 2 * detail(sizes[2])
    assert all(abs(image.mean() - face.mean()) < 2 for image in sizes)


def test_faults_depend_on_the_seed_alone(face: np.ndarray) -> None:
    views = [as_in_video(face, np.random.default_rng(seed), share=1) for seed in (1, 1, 2)]
    assert all(view.shape == (48, 48) and view.dtype == np.uint8 for view in views)
    assert (views[0] == views[1]).all()
    assert (views[0] != views[2]).any()


def test_without_faults_a_face_stays_as_it_is(face: np.ndarray) -> None:
    assert (as_in_video(face, np.random.default_rng(1), share=0) == face).all()


def test_about_as_many_faces_are_small_as_asked_for(face: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    unchanged = np.mean([(as_in_video(face, rng, share=0.4) == face).all() for _ in range(500)])
    assert abs(unchanged - 0.6 * 0.8**3) < 0.06
