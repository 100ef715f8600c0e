"""Recognise faces that were out of sight, by dlib's descriptor of faces.

A residual network gives each face 128 numbers that lie near to each other for one person (King,
"High quality face recognition with deep metric learning", 2017; public domain). Its weights come in
the package ``face_recognition_models``. Descriptors serve to compare the faces of one video; they
are never written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from stages.batch import FrameBatch
from stages.geometry import cut_out_colour, similarity_transform
from stages.weights import packaged_weights

WEIGHTS = "face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"

SIDE_PX = 150

TEMPLATE_PX = np.array(
    [(47.7, 47.1), (100.3, 47.1), (74.0, 79.6), (52.9, 106.0), (95.1, 106.0)], dtype=np.float64
)
"""Where the landmarks of a face from the front lie in the pictures that dlib's network was trained
on: its eyes by dlib's own template, the others where they were on average, measured."""

MOST_CROOKED_PX = 4.5
"""Mean distance of landmarks from the template; beyond, a face is seen too much from the side."""

LEAST_CONTRAST = 25.0
"""Standard deviation of brightness, of 255 steps; below, there is too little light to be sure."""

LEAST_SIDE_PX = 24
LEAST_SCORE = 0.75

VIEWS, FIRST_VIEWS_APART_S = 4, 0.08
LEAST_VIEWS = 3

SAME, CLEARLY_NEARER = 0.48, 0.1
"""Mean descriptors this near are one person's, if all other people are further off by so much."""


@dataclass
class _View:
    """One look at a face: (150, 150, 3) uint8 RGB until it is described, then (128,) float64."""

    seen_s: float
    picture: np.ndarray | None
    descriptor: np.ndarray | None = None


@dataclass
class _Views:
    """Looks at one track, spread evenly over the time that it was seen."""

    apart_s: float = FIRST_VIEWS_APART_S
    kept: list[_View] = field(default_factory=list)

    def want_one_at(self, time_s: float) -> bool:
        return not self.kept or time_s >= self.kept[-1].seen_s + self.apart_s

    def add(self, view: _View) -> None:
        self.kept.append(view)
        if len(self.kept) > VIEWS:
            self.kept = self.kept[::2]
            self.apart_s *= 2


class FaceRecogniser:
    """Remembers how the people of one video look; satisfies ``person_ids.Recogniser``."""

    def __init__(self) -> None:
        self._views: dict[int, _Views] = {}
        self._network: Any = None

    def look(self, batch: FrameBatch) -> None:
        clear = (batch.scores >= LEAST_SCORE) & (batch.boxes[:, 2] >= LEAST_SIDE_PX)
        for face in np.flatnonzero(clear).tolist():
            frame = batch.face_frame[face]
            time_s = float(batch.time_s[frame])
            views = self._views.setdefault(int(batch.tracks[face]), _Views())
            if views.want_one_at(time_s):
                picture = portrait(batch.pixels[frame], batch.landmarks[face])
                if picture is not None:
                    views.add(_View(time_s, picture))

    def recognise(self, track: int, people: Mapping[int, Sequence[int]]) -> int | None:
        new = self._mean([track])
        if new is None:
            return None
        known = {number: self._mean(tracks) for number, tracks in people.items()}
        distances = sorted(
            (float(np.linalg.norm(new - mean)), number)
            for number, mean in known.items()
            if mean is not None
        )
        if not distances or distances[0][0] > SAME:
            return None
        if len(distances) > 1 and distances[1][0] - distances[0][0] < CLEARLY_NEARER:
            return None
        return distances[0][1]

    def forget(self, track: int) -> None:
        self._views.pop(track, None)

    def _mean(self, tracks: Sequence[int]) -> np.ndarray | None:
        """Mean descriptor of some tracks, (128,); None if too little was seen of them."""
        views = [
            view for track in tracks if track in self._views for view in self._views[track].kept
        ]
        if len(views) < LEAST_VIEWS:
            return None
        return np.mean([self._described(view) for view in views], axis=0)

    def _described(self, view: _View) -> np.ndarray:
        if view.descriptor is None:
            self._network = self._network or _load_network()
            view.descriptor = np.array(self._network.compute_face_descriptor(view.picture))
            view.picture = None
        return view.descriptor


def portrait(pixels: np.ndarray, landmarks: np.ndarray) -> np.ndarray | None:
    """A face as dlib's network takes it, (150, 150, 3) uint8 RGB; None if it is not seen well.

    Args:
        pixels: (h * 3 / 2, w) uint8, planar YUV 4:2:0.
        landmarks: (5, 2), x and y in pixels of the frame.
    """
    points = landmarks.astype(np.float64)
    transform = similarity_transform(points, TEMPLATE_PX)
    off = points @ transform[:, :2].T + transform[:, 2] - TEMPLATE_PX
    if np.hypot(*off.T).mean() > MOST_CROOKED_PX:
        return None
    picture = cut_out_colour(pixels, transform, SIDE_PX)
    if cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).std() < LEAST_CONTRAST:
        return None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _load_network() -> Any:
    import dlib  # Loading takes time, and most videos show nobody who comes back.

    return dlib.face_recognition_model_v1(str(packaged_weights(*WEIGHTS)))
