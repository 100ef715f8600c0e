"""Which part of a picture a network sees: kinds of crops, and the templates of aligned faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.emotions import FACE_SIZE_PX

Point = tuple[float, float]
Points = tuple[Point, Point, Point, Point, Point]
"""Eyes, nose and corners of the mouth, as x and y in pixels from the centre of the first one; of a
pair, the one further left in the picture first."""

FER_LANDMARKS: Points = ((15.1, 18.4), (33.3, 18.3), (24.5, 29.0), (17.2, 36.5), (32.4, 36.3))
"""Mean landmarks of FER-2013's training faces, 48x48 pixels."""

ARCFACE_LANDMARKS: Points = (
    (38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655),
    (70.7299, 92.2041),
)  # fmt: skip
"""The template that faces are aligned to for ArcFace (Deng et al., CVPR 2019), 112x112 pixels; as
in the authors' code, InsightFace's ``face_align.py``."""

ARCFACE_SIZE_PX = 112


@dataclass(frozen=True)
class Crop:
    """A kind of crop. Networks with equal ones share the faces that are cut.

    Attributes:
        size_px: side of the square.
        colour: whether it is RGB; grey otherwise.
        landmarks: where the five landmarks are brought; None for the box with a margin.
        margin: share of the box's longer side that is added on each side.
    """

    size_px: int
    colour: bool
    landmarks: Points | None = None
    margin: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values of one face, uint8."""
        square = self.size_px, self.size_px
        return (*square, 3) if self.colour else square

    @property
    def is_own(self) -> bool:
        """Whether it is the one that is always cut, for the shipped network."""
        return self == OWN


def fer_landmarks(size_px: int) -> Points:
    """``FER_LANDMARKS`` on a crop of another size; pixels are squares around their centres."""
    zoom = size_px / FACE_SIZE_PX
    scaled = (np.array(FER_LANDMARKS) + 0.5) * zoom - 0.5
    return _points(np.array(FER_LANDMARKS) if zoom == 1 else scaled)


def arcface_landmarks(size_px: int) -> Points:
    """``ARCFACE_LANDMARKS`` on a crop of a multiple of their size, scaled as InsightFace does."""
    return _points(np.array(ARCFACE_LANDMARKS) * (size_px / ARCFACE_SIZE_PX))


def _points(values: np.ndarray) -> Points:
    first, second, third, fourth, fifth = ((float(x), float(y)) for x, y in values)
    return first, second, third, fourth, fifth


OWN = Crop(FACE_SIZE_PX, False, FER_LANDMARKS)
