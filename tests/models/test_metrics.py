"""The figures of merit, against cases counted by hand."""

import numpy as np
import pytest

from models.emotions import EMOTIONS
from models.metrics import expected_calibration_error, score


def test_figures_of_a_small_case() -> None:
    angry, happy = EMOTIONS.index("angry"), EMOTIONS.index("happy")
    labels = np.array([angry, angry, angry, happy])
    probabilities = np.eye(7)[[angry, angry, happy, happy]]
    figures = score(probabilities, labels)
    assert figures["n"] == 4
    assert figures["accuracy"] == pytest.approx(3 / 4)
    assert figures["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert figures["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert figures["per_class"]["happy"] == {"precision": 0.5, "recall": 1.0, "n": 1}
    assert figures["confusion"][angry][happy] == 1
    assert figures["ece"] == pytest.approx(1 / 4)


def test_calibration_error_is_zero_when_as_sure_as_right() -> None:
    probabilities = np.tile([0.75, 0.25, 0, 0, 0, 0, 0], (4, 1))
    assert expected_calibration_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0)
    assert expected_calibration_error(probabilities, np.array([1, 1, 1, 1])) == pytest.approx(0.75)
