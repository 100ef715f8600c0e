"""Search pictures of a video for faces, with little work where little changes.

A whole picture is searched every so often. In between, a face that is nearly at the same place
before and after is taken to move straight on; where a face comes, goes or moves far, the picture
in the middle is searched there, and then the pictures in the middle of both halves.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from stages.faces.detector import (
    NO_FACES,
    Detector,
    Faces,
    joined,
)
from stages.faces.regions import area, regions_around
from stages.geometry import overlap

STEADY = 0.05
"""Motion of any landmark, in sides of the face, up to which it went straight in between."""

SAME_FACE = 0.3
"""Overlap of what is found twice."""

MEMORY_S = 0.5
"""A face that is found no more is looked for where it was for this long."""

WORTHWHILE_SHARE = 0.35
"""If more of a picture has to be searched, it is searched as a whole."""

CLOCK_TOLERANCE_S = 1e-3


class Images(Protocol):
    """Pictures by their number: (h, w, 3) uint8 BGR each."""

    def __getitem__(self, index: int) -> np.ndarray: ...


class FaceSearch:
    """Searches the consecutive pictures of one video.

    Args:
        detector: finds the faces of a picture.
        interval_s: time from one picture that is searched as a whole to the next; 0 for all.
        look_ahead: the last picture of each call is searched as a whole, so that for every other
            one it is known what comes after it. A live stream cannot wait for that: there, faces
            that just stood still are taken to stay, and others are looked for where they were.
    """

    def __init__(self, detector: Detector, interval_s: float, look_ahead: bool) -> None:
        self._detector, self._interval_s, self._look_ahead = detector, interval_s, look_ahead
        self.forget()

    def forget(self) -> None:
        """Take what comes next for another scene."""
        self._whole_s = -math.inf
        self._seen: list[tuple[float, Faces]] = []

    def find(self, images: Images, time_s: np.ndarray) -> list[Faces]:
        """Faces of consecutive pictures.

        Args:
            images: n of them, (h, w, 3) uint8 BGR; only those that are searched are looked at.
            time_s: (n,) float64, when they are shown, in seconds.
        """
        found: list[Faces] = []
        for index, at_s in enumerate(time_s):
            known = len(found)
            due = at_s - self._whole_s >= self._interval_s - CLOCK_TOLERANCE_S
            last = index == len(time_s) - 1
            if due or (self._look_ahead and last):
                self._whole_s = float(at_s)
                faces = self._detector.find(images[index])
                found += self._between(images, time_s, range(known, index), faces)
                found.append(faces)
            elif not self._look_ahead:
                found.append(self._expected(images, index))
            else:
                continue
            self._remember(time_s[known : len(found)], found[known:])
        return found

    def _between(
        self, images: Images, time_s: np.ndarray, unknown: range, after: Faces
    ) -> list[Faces]:
        """Faces of the pictures from the last one of which they are known to the next."""
        if not unknown:
            return []
        before_s, before = self._seen[-1]
        known = {unknown.start - 1: (before_s, before)}
        known[unknown.stop] = float(time_s[unknown.stop]), after
        self._bisect(images, time_s, known, unknown.start - 1, unknown.stop)
        return [known[index][1] for index in unknown]

    def _bisect(
        self,
        images: Images,
        time_s: np.ndarray,
        known: dict[int, tuple[float, Faces]],
        first: int,
        last: int,
    ) -> None:
        """Find the faces between two pictures of which time and faces are known."""
        if last - first < 2:
            return
        (before_s, before), (after_s, after) = known[first], known[last]
        pairs = _steady_pairs(before, after)
        lost = _others(before, pairs[:, 0]), _others(after, pairs[:, 1])
        wanted = np.concatenate([faces.boxes for faces in (*lost, self._missing(before, after))])
        middle = (first + last) // 2
        for index in range(first + 1, last) if not len(wanted) else (middle,):
            share = float((time_s[index] - before_s) / (after_s - before_s))
            faces = before[pairs[:, 0]].on_the_way_to(after[pairs[:, 1]], share)
            if len(wanted):
                found = self._near(images[index], wanted)
                faces = joined([faces, _unknown(found, faces)])
            known[index] = float(time_s[index]), faces
        if len(wanted):
            self._bisect(images, time_s, known, first, middle)
            self._bisect(images, time_s, known, middle, last)

    def _expected(self, images: Images, index: int) -> Faces:
        """Faces of a picture of which only those before it are known."""
        if len(self._seen) > 1:
            before, after = self._seen[-2][1], self._seen[-1][1]
            steady = len(_steady_pairs(before, after))
            if steady == len(before) == len(after) and not len(self._missing(before, after)):
                return after
        boxes = [faces.boxes for _, faces in self._seen]
        return self._near(images[index], np.concatenate([NO_FACES.boxes, *boxes]))

    def _near(self, image: np.ndarray, boxes: np.ndarray) -> Faces:
        """Faces of a picture, searched where these boxes are."""
        height, width = image.shape[:2]
        regions = regions_around(boxes, (height, width))
        if area(regions) > WORTHWHILE_SHARE * height * width:
            return self._detector.find(image)
        return joined(
            [
                self._detector.find(image[top:bottom, left:right]).moved(left, top)
                for left, top, right, bottom in regions
            ]
        )

    def _remember(self, time_s: np.ndarray, found: list[Faces]) -> None:
        since_s = time_s[-1] - MEMORY_S
        self._seen += zip(time_s.tolist(), found, strict=True)
        self._seen = [entry for entry in self._seen if entry[0] >= since_s]

    def _missing(self, before: Faces, after: Faces) -> Faces:
        """Faces that were seen a short time ago, but are in neither of two pictures."""
        missing = NO_FACES
        present = joined([before, after])
        for _, faces in reversed(self._seen):
            missing = joined([missing, _unknown(faces, joined([present, missing]))])
        return missing


def _steady_pairs(before: Faces, after: Faces) -> np.ndarray:
    """Indices (k, 2) of faces that moved and turned little from one picture to the other."""
    if not len(before) or not len(after):
        return np.empty((0, 2), np.int64)
    overlaps = overlap(before.boxes[:, None], after.boxes[None])
    best = overlaps.argmax(axis=1)
    mutual = overlaps.argmax(axis=0)[best] == np.arange(len(before))
    moved = np.abs(after.landmarks[best] - before.landmarks).max(axis=(1, 2))
    steady = moved <= STEADY * before.boxes[:, 2:].max(axis=1)
    chosen = np.flatnonzero(mutual & steady)
    return np.stack([chosen, best[chosen]], axis=1)


def _others(faces: Faces, chosen: np.ndarray) -> Faces:
    return faces[np.setdiff1d(np.arange(len(faces)), chosen)]


def _unknown(faces: Faces, known: Faces) -> Faces:
    """Those of the faces that are not among the known ones."""
    if not len(faces) or not len(known):
        return faces
    return faces[overlap(faces.boxes[:, None], known.boxes[None]).max(axis=1) < SAME_FACE]
