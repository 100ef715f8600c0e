"""Faces are grouped by what makes them hard."""

import numpy as np
import pytest

from models.conditions import score_by_condition, yaw

FACE_MM = np.array(
    [[-32.0, -34, 0], [32, -34, 0], [0, 0, 26], [-25, 33, 0], [25, 33, 0]]
)  # fmt: skip
"""Eyes, nose, corners of the mouth: right, down, and towards who looks."""


def seen(degrees: float, roll: float = 0, zoom: float = 1) -> np.ndarray:
    """(5, 2) landmarks of a face that is turned to the right of the picture, then rolled."""
    angle, turn = np.radians(degrees), np.radians(roll)
    x, y, depth = FACE_MM.T
    flat = np.column_stack([x * np.cos(angle) + depth * np.sin(angle), y]) * zoom
    return flat @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] + 100


@pytest.mark.parametrize("degrees", [-40, -15, 0, 15, 40])
@pytest.mark.parametrize("roll", [0, 30])
def test_yaw_is_that_of_a_turned_head(degrees: float, roll: float) -> None:
    assert yaw(np.stack([seen(degrees, roll)]))[0] == pytest.approx(degrees, abs=2)


def test_groups_have_the_faces_that_belong_to_them() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.eye(7)[[0, 1, 1, 1]]
    landmarks = np.stack([seen(0), seen(-25), seen(25, zoom=0.2), np.full((5, 2), np.nan)])
    grey = np.array([10, 100, 100, 200], np.uint8)
    images = np.broadcast_to(grey[:, None, None], (4, 48, 48))
    groups = score_by_condition(probabilities, labels, images, landmarks)
    found = {
        name: [(group["from"], group["below"], group["n"], group["accuracy"]) for group in part]
        for name, part in groups.items()
    }
    assert found["yaw"] == [(0, 10, 1, 1), (20, 30, 2, 0.5)]
    assert found["brightness"] == [(0, 64, 1, 1), (96, 128, 2, 0.5), (160, None, 1, 1)]
    assert found["eyes_px"] == [(10, 15, 1, 1), (20, None, 2, 0.5)]
