"""Re-identify faces that were out of sight, by their descriptors.

Descriptors only compare the faces of one video; they are never written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.batch import FrameBatch
from stages.geometry import crop_colour, similarity_transform
from stages.people.descriptor import SIDE_PX, descriptor
from stages.people.person_ids import Match

TEMPLATE_PX = np.array(
    [(47.7, 47.1), (100.3, 47.1), (74.0, 79.6), (52.9, 106.0), (95.1, 106.0)], dtype=np.float64
)
"""Landmarks of a frontal face in the 150x150 pictures that dlib's network was trained on: (5, 2), x
and y. The eyes are from dlib's own template, the others a measured mean."""

MAX_LANDMARK_ERROR_PX = 4.5
"""Mean distance of landmarks from the template; a larger one means a face turned to the side."""

MIN_CONTRAST = 25.0
"""Standard deviation of brightness (0 to 255); a darker face is not compared."""

MIN_WIDTH_PX = 24
MIN_SCORE = 0.75

MAX_SAMPLES, FIRST_INTERVAL_S = 4, 0.08
"""Samples kept of a track, and the time between the first of them."""

MIN_SAMPLES = 3
"""With fewer samples a person is neither matched nor a candidate."""

MAX_DISTANCE, MIN_MARGIN = 0.48, 0.1
"""Between mean descriptors: the nearest person matches within this distance, if the second nearest
is further away by this margin."""

MAX_DOUBTFUL_DISTANCE = 0.6
"""Beyond this distance, further samples make no match."""


@dataclass
class ClearSample:
    """A face at one time: (150, 150, 3) uint8 RGB, replaced by its descriptor, (128,) float64, once
    that is needed."""

    time_s: float
    _picture: NDArray[np.uint8] | None
    _descriptor: NDArray[np.float64] | None = None

    def described(self) -> NDArray[np.float64]:
        """Its descriptor, (128,) float64."""
        if self._descriptor is None:
            assert self._picture is not None
            self._descriptor, self._picture = descriptor(self._picture), None
        return self._descriptor

    def distance(self, other: ClearSample) -> float:
        """Distance of two samples: up to 0.5 or so for the same person, mostly more for two."""
        return float(np.linalg.norm(self.described() - other.described()))


@dataclass
class _Samples:
    """Samples of one track, spread evenly over the time that it was seen."""

    interval_s: float = FIRST_INTERVAL_S
    kept: list[ClearSample] = field(default_factory=list)

    def is_due(self, time_s: float) -> bool:
        return not self.kept or time_s >= self.kept[-1].time_s + self.interval_s

    def add(self, sample: ClearSample) -> None:
        self.kept.append(sample)
        if len(self.kept) > MAX_SAMPLES:
            self.kept = self.kept[::2]
            self.interval_s *= 2


class FaceReidentifier:
    """Remembers how the faces of one video look; satisfies ``person_ids.Reidentifier``."""

    def __init__(self) -> None:
        self._samples: dict[int, _Samples] = {}

    def observe(self, batch: FrameBatch) -> None:
        for face, track in enumerate(batch.shot_tracks.tolist()):
            samples = self._samples.setdefault(track, _Samples())
            if samples.is_due(float(batch.time_s[batch.face_frame[face]])):
                sample = clear_sample(batch, face)
                if sample is not None:
                    samples.add(sample)

    def match(self, track: int, people: Mapping[int, Sequence[int]]) -> Match:
        known = {person: self._samples_of(tracks) for person, tracks in people.items()}
        known = {
            person: samples for person, samples in known.items() if len(samples) >= MIN_SAMPLES
        }
        own = self._samples_of([track])
        if not known or len(own) < MIN_SAMPLES:
            return Match(None, final=not known)
        mean = _mean(own)
        distances = sorted(
            (float(np.linalg.norm(mean - _mean(samples))), person)
            for person, samples in known.items()
        )
        nearest, person = distances[0]
        if nearest > MAX_DISTANCE:
            return Match(None, final=nearest > MAX_DOUBTFUL_DISTANCE)
        if len(distances) > 1 and distances[1][0] - nearest < MIN_MARGIN:
            return Match(None, final=False)
        return Match(person, final=True)

    def forget(self, track: int) -> None:
        self._samples.pop(track, None)

    def _samples_of(self, tracks: Sequence[int]) -> list[ClearSample]:
        return [
            sample
            for track in tracks
            if track in self._samples
            for sample in self._samples[track].kept
        ]


def _mean(samples: Sequence[ClearSample]) -> NDArray[np.float64]:
    """Mean descriptor, (128,)."""
    return np.asarray(np.mean([sample.described() for sample in samples], axis=0))


def clear_sample(batch: FrameBatch, face: int) -> ClearSample | None:
    """How a face of a batch looks; None if it is too small, uncertain, turned away or dark."""
    if batch.scores[face] < MIN_SCORE or batch.boxes[face, 2] < MIN_WIDTH_PX:
        return None
    frame = batch.face_frame[face]
    picture = portrait(batch.pixels[frame], batch.landmarks[face])
    return None if picture is None else ClearSample(float(batch.time_s[frame]), picture)


def portrait(pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """A face as dlib's network takes it, (150, 150, 3) uint8 RGB; None if turned away or too dark.

    Args:
        pixels: (h * 3 / 2, w) uint8, planar YUV 4:2:0.
        landmarks: (5, 2), x and y in pixels of the frame.
    """
    points = landmarks.astype(np.float64)
    transform = similarity_transform(points, TEMPLATE_PX)
    error = points @ transform[:, :2].T + transform[:, 2] - TEMPLATE_PX
    if np.hypot(*error.T).mean() > MAX_LANDMARK_ERROR_PX:
        return None
    picture = crop_colour(pixels, transform, SIDE_PX)
    if cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).std() < MIN_CONTRAST:
        return None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
