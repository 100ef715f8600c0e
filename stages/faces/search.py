"""Detect the faces of consecutive pictures without searching each of them.

Whole pictures are searched at intervals. A face that moved little from one of them to the next is
interpolated linearly. Where a face appears, disappears or moves far, the picture in the middle is
searched in that region, and so on in both halves (bisection).
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from stages.faces.detector import NO_FACES, Detector, Faces, joined
from stages.faces.regions import area, regions_around
from stages.geometry import iou

MAX_MOTION = 0.05
"""Of any landmark, in widths of the face, for the face to be interpolated."""

SAME_FACE = 0.3
"""IoU above which two detections are the same face."""

MEMORY_S = 0.5
"""A face that is no longer found is still looked for where it was for this long."""

MAX_REGIONS_SHARE = 0.35
"""If regions cover more of a picture, it is searched as a whole."""

CLOCK_TOLERANCE_S = 1e-3


class Images(Protocol):
    """Pictures by index: (h, w, 3) uint8 BGR each."""

    def __getitem__(self, index: int) -> np.ndarray: ...


class FaceSearch:
    """Searches the consecutive pictures of one video.

    Args:
        detector: finds the faces of a picture.
        interval_s: time between pictures that are searched as a whole; 0 to search all.
        look_ahead: search the last picture of each call as a whole, so that the faces before and
            after every other picture are known. A live stream cannot wait for that: there a face
            that stood still is expected to stay, and others are looked for where they were.
    """

    def __init__(self, detector: Detector, interval_s: float, look_ahead: bool) -> None:
        self._detector, self._interval_s, self._look_ahead = detector, interval_s, look_ahead
        self.forget()

    def forget(self) -> None:
        """Forget all faces, as after a gap."""
        self._whole_s = -math.inf
        self._seen: list[tuple[float, Faces]] = []

    def find(self, images: Images, time_s: np.ndarray) -> list[Faces]:
        """Faces of consecutive pictures.

        Args:
            images: n of them, (h, w, 3) uint8 BGR; only those that are searched are asked for.
            time_s: (n,) float64, in seconds.
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
        """Faces of the pictures between two whose faces are known."""
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
        """Add to ``known`` the faces of all pictures between two that are in it."""
        if last - first < 2:
            return
        (before_s, before), (after_s, after) = known[first], known[last]
        pairs = _steady_pairs(before, after)
        lost = _others(before, pairs[:, 0]), _others(after, pairs[:, 1])
        wanted = np.concatenate([faces.boxes for faces in (*lost, self._missing(before, after))])
        middle = (first + last) // 2
        for index in range(first + 1, last) if not len(wanted) else (middle,):
            share = float((time_s[index] - before_s) / (after_s - before_s))
            faces = before[pairs[:, 0]].interpolated(after[pairs[:, 1]], share)
            if len(wanted):
                found = self._near(images[index], wanted)
                faces = joined([faces, _new(found, faces)])
            known[index] = float(time_s[index]), faces
        if len(wanted):
            self._bisect(images, time_s, known, first, middle)
            self._bisect(images, time_s, known, middle, last)

    def _expected(self, images: Images, index: int) -> Faces:
        """Faces of a live picture, of which only the earlier ones are known."""
        if len(self._seen) > 1:
            before, after = self._seen[-2][1], self._seen[-1][1]
            steady = len(_steady_pairs(before, after))
            if steady == len(before) == len(after) and not len(self._missing(before, after)):
                return after
        boxes = [faces.boxes for _, faces in self._seen]
        return self._near(images[index], np.concatenate([NO_FACES.boxes, *boxes]))

    def _near(self, image: np.ndarray, boxes: np.ndarray) -> Faces:
        """Faces of a picture, searched around these boxes."""
        height, width = image.shape[:2]
        regions = regions_around(boxes, (height, width))
        if area(regions) > MAX_REGIONS_SHARE * height * width:
            return self._detector.find(image)
        return joined(
            [
                self._detector.find(image[top:bottom, left:right]).shifted(left, top)
                for left, top, right, bottom in regions
            ]
        )

    def _remember(self, time_s: np.ndarray, found: list[Faces]) -> None:
        since_s = time_s[-1] - MEMORY_S
        self._seen += zip(time_s.tolist(), found, strict=True)
        self._seen = [entry for entry in self._seen if entry[0] >= since_s]

    def _missing(self, before: Faces, after: Faces) -> Faces:
        """Faces seen a short time ago that are in neither of two pictures."""
        known = joined([before, after])
        present = len(known)
        # The faces of a live picture in which nothing moved are those of an earlier one.
        different = {id(faces): faces for _, faces in reversed(self._seen)}
        for faces in different.values():
            if faces is not before and faces is not after:
                known = joined([known, _new(faces, known)])
        return known[np.arange(present, len(known))]


def _steady_pairs(before: Faces, after: Faces) -> np.ndarray:
    """Indices (k, 2) of faces that moved little from one picture to the other."""
    if not len(before) or not len(after):
        return np.empty((0, 2), np.int64)
    ious = iou(before.boxes[:, None], after.boxes[None])
    best = ious.argmax(axis=1)
    mutual = ious.argmax(axis=0)[best] == np.arange(len(before))
    moved = np.abs(after.landmarks[best] - before.landmarks).max(axis=(1, 2))
    steady = moved <= MAX_MOTION * before.boxes[:, 2:].max(axis=1)
    chosen = np.flatnonzero(mutual & steady)
    return np.stack([chosen, best[chosen]], axis=1)


def _others(faces: Faces, chosen: np.ndarray) -> Faces:
    return faces[np.setdiff1d(np.arange(len(faces)), chosen)]


def _new(faces: Faces, known: Faces) -> Faces:
    """Those faces that are not among the known ones."""
    if not len(faces) or not len(known):
        return faces
    return faces[iou(faces.boxes[:, None], known.boxes[None]).max(axis=1) < SAME_FACE]
