"""Descriptors of faces are those of dlib itself."""

from __future__ import annotations

from pathlib import Path

import cv2
import dlib
import numpy as np

from models.onnx_file import packaged_weights
from stages.people.descriptor import SIDE_PX, WEIGHTS, descriptor
from tests.stages.clips import face_squares


def test_descriptors_are_those_of_dlib(samples: dict[str, Path]) -> None:
    reference = dlib.face_recognition_model_v1(str(packaged_weights(*WEIGHTS)))
    squares = face_squares(samples["single_face.mp4"], 2, SIDE_PX)
    squares += face_squares(samples["WolfgangLanger_Pexels.mp4"], 1, SIDE_PX)
    faces = [cv2.cvtColor(square, cv2.COLOR_BGR2RGB) for square in squares]
    described = [descriptor(face) for face in faces]
    expected = [np.array(reference.compute_face_descriptor(face)) for face in faces]
    np.testing.assert_allclose(described, expected, atol=1e-5)
