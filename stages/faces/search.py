"""Detect the faces of consecutive pictures without searching each of them.

Whole pictures are searched at intervals. A face that moved little from one of them to the next is
interpolated linearly. Where a face appears, disappears or moves far, the picture in the middle is
searched in that region, and so on in both halves (bisection), until its path is straight. A picture
in between that looks different from both is searched as a whole as well: somebody may have come and
gone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.faces.detector import NO_FACES, Detector, Faces, joined
from stages.geometry import iou

WHOLE_INTERVAL_S = 0.7
"""Time between pictures that are searched as a whole, at most, while the view does not change."""

MAX_CHANGE = 25.0
"""A picture is searched as a whole if some part of it, as large as a face, differs by more than
this from the searched pictures before and after it, in mean brightness (0 to 255)."""

PART = 3
"""Side of such a part, in pixels of a thumbnail."""

MAX_MOTION = 0.03
"""A face is interpolated if no landmark moved further than this, in widths of the face."""

MAX_BEND = 0.02
"""A face that moved further is interpolated if its path is straight: if in the middle of it, each
landmark is as close as this to where it is expected, in widths of the face."""

SAME_FACE = 0.3
"""IoU above which two detections are the same face."""

MEMORY_S = 0.5
"""For this long, a face that is no longer found is looked for where it was last."""

MAX_REGIONS_SHARE = 0.7
"""If regions cover more of a picture, it is searched as a whole."""

CLOCK_TOLERANCE_S = 1e-3


GRID_PX = 32
"""Regions are aligned to the detector's coarsest stride, so that it sees them as it sees the whole
picture."""

MARGIN_PX = 80
"""Around a face, for its motion and for the detector's context: with less, faces get lower scores
and shifted boxes."""


class Images(Protocol):
    """Pictures by index: (h, w, 3) uint8 BGR each."""

    def __getitem__(self, index: int) -> NDArray[np.uint8]: ...

    def thumbnail(self, index: int) -> NDArray[np.int16]:
        """A tiny grey picture, (18, 32) int16."""


@dataclass(frozen=True)
class _Sample:
    """The faces of a picture.

    Attributes:
        straight: (m,) bool, whose path through this picture is known to be straight.
    """

    time_s: float
    faces: Faces
    straight: NDArray[np.bool_]


class FaceSearch:
    """Searches the consecutive pictures of one video.

    Args:
        detector: finds the faces of a picture.
        interval_s: time between pictures that are checked for further faces; 0 to search every
            picture as a whole.
        look_ahead: search the last picture of each call as a whole, so that the faces before and
            after every other picture are known. A live stream cannot wait for that: there whole
            pictures are searched at the interval, a face that stood still is expected to stay, and
            others are looked for where they were.
    """

    def __init__(self, detector: Detector, interval_s: float, look_ahead: bool) -> None:
        self._detector, self._interval_s, self._look_ahead = detector, interval_s, look_ahead
        rarely = look_ahead and interval_s > 0
        self._whole_interval_s = max(interval_s, WHOLE_INTERVAL_S) if rarely else interval_s
        self.forget()

    def forget(self) -> None:
        """Forget all faces, as after a gap."""
        self._whole_s = -math.inf
        self._thumbnail = np.empty((0, 0), np.int16)
        self._seen: list[tuple[float, Faces]] = []

    def find(self, images: Images, time_s: NDArray[np.float64]) -> list[Faces]:
        """Faces of consecutive pictures.

        Args:
            images: n of them, (h, w, 3) uint8 BGR; only those that are searched are asked for.
            time_s: (n,) float64, in seconds.
        """
        return (self._find_ahead if self._look_ahead else self._find_live)(images, time_s)

    def _find_live(self, images: Images, time_s: NDArray[np.float64]) -> list[Faces]:
        found = []
        for index, at_s in enumerate(time_s.tolist()):
            if at_s - self._whole_s >= self._interval_s - CLOCK_TOLERANCE_S:
                self._whole_s = at_s
                found.append(self._detector.find(images[index]))
            else:
                found.append(self._expected(images, index))
            self._remember([at_s], found[-1:])
        return found

    def _find_ahead(self, images: Images, time_s: NDArray[np.float64]) -> list[Faces]:
        found: list[Faces] = []
        for index in self._wholes(images, time_s.tolist()):
            known = len(found)
            faces = self._detector.find(images[index])
            found += self._between(images, time_s, range(known, index), faces)
            found.append(faces)
            self._remember(time_s[known : len(found)].tolist(), found[known:])
        return found

    def _wholes(self, images: Images, time_s: Sequence[float]) -> list[int]:
        """The pictures to be searched as a whole, in order; the last is one of them."""
        wholes: list[int] = []
        begin = 0
        for index, at_s in enumerate(time_s):
            if at_s >= self._whole_due_s(time_s[-1]) - CLOCK_TOLERANCE_S:
                after = images.thumbnail(index)
                wholes += [*self._different(images, time_s, range(begin, index), after), index]
                self._whole_s, self._thumbnail, begin = at_s, after, index + 1
        return wholes

    def _whole_due_s(self, last_s: float) -> float:
        """When a whole picture is to be searched next, so that those until the last, which is
        searched in any case, are evenly apart."""
        rest_s = last_s - self._whole_s
        if math.isinf(rest_s) or not self._whole_interval_s:
            return -math.inf
        count = math.ceil((rest_s - CLOCK_TOLERANCE_S) / self._whole_interval_s)
        return self._whole_s + rest_s / max(1, count)

    def _different(
        self, images: Images, time_s: Sequence[float], between: range, after: NDArray[np.int16]
    ) -> Iterator[int]:
        """Those of some pictures, at the interval, that differ from those before and after."""
        looked_s = self._whole_s
        for index in between:
            if time_s[index] - looked_s >= self._interval_s - CLOCK_TOLERANCE_S:
                looked_s, now = time_s[index], images.thumbnail(index)
                if _change(now, self._thumbnail, after) > MAX_CHANGE:
                    self._thumbnail = now
                    yield index

    def _between(
        self, images: Images, time_s: NDArray[np.float64], unknown: range, after: Faces
    ) -> list[Faces]:
        """Faces of the pictures between two whose faces are known."""
        if not unknown:
            return []
        before = self._seen[-1]
        ends = {unknown.start - 1: before, unknown.stop: (float(time_s[unknown.stop]), after)}
        known = {
            index: _Sample(at_s, faces, np.zeros(len(faces), bool))
            for index, (at_s, faces) in ends.items()
        }
        self._bisect(images, time_s, known, unknown.start - 1, unknown.stop)
        return [known[index].faces for index in unknown]

    def _bisect(
        self,
        images: Images,
        time_s: NDArray[np.float64],
        known: dict[int, _Sample],
        first: int,
        last: int,
    ) -> None:
        """Add to ``known`` the faces of all pictures between two that are in it."""
        if last - first < 2:
            return
        before, after = known[first], known[last]
        pairs = _pairs(before.faces, after.faces)
        steady = _are_steady(before, after, pairs)
        lost = _others(before.faces, pairs[steady, 0]), _others(after.faces, pairs[steady, 1])
        missing = self._missing(before.faces, after.faces)
        wanted = np.concatenate([faces.boxes for faces in (*lost, missing)])
        middle = (first + last) // 2
        for index in range(first + 1, last) if not len(wanted) else (middle,):
            at_s = float(time_s[index])
            share = (at_s - before.time_s) / (after.time_s - before.time_s)
            expected = before.faces[pairs[:, 0]].interpolated(after.faces[pairs[:, 1]], share)
            faces = expected[steady]
            found = _new(self._near(images[index], wanted), faces) if len(wanted) else NO_FACES
            straight = np.append(np.ones(len(faces), bool), _are_at(found, expected[~steady]))
            known[index] = _Sample(at_s, joined([faces, found]), straight)
        if len(wanted):
            self._bisect(images, time_s, known, first, middle)
            self._bisect(images, time_s, known, middle, last)

    def _expected(self, images: Images, index: int) -> Faces:
        """Faces of a live picture, of which only the earlier ones are known."""
        if len(self._seen) > 1:
            before, after = self._seen[-2][1], self._seen[-1][1]
            pairs = _pairs(before, after)
            steady = int((_motion(before, after, pairs) <= MAX_MOTION).sum())
            if steady == len(before) == len(after) and not len(self._missing(before, after)):
                return after
        boxes = [faces.boxes for _, faces in self._seen]
        return self._near(images[index], np.concatenate([NO_FACES.boxes, *boxes]))

    def _near(self, image: NDArray[np.uint8], boxes: NDArray[np.floating]) -> Faces:
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

    def _remember(self, time_s: Sequence[float], found: Sequence[Faces]) -> None:
        since_s = time_s[-1] - MEMORY_S
        self._seen += zip(time_s, found, strict=True)
        self._seen = [entry for entry in self._seen if entry[0] >= since_s]

    def _missing(self, before: Faces, after: Faces) -> Faces:
        """Faces seen a short time ago that are in neither of two pictures."""
        known = joined([before, after])
        present = len(known)
        if not len(_new(joined([faces for _, faces in self._seen]), known)):
            return NO_FACES
        # The faces of a live picture in which nothing moved are those of an earlier one.
        different = {id(faces): faces for _, faces in reversed(self._seen)}
        for faces in different.values():
            if faces is not before and faces is not after:
                known = joined([known, _new(faces, known)])
        return known[np.arange(present, len(known))]


def _pairs(before: Faces, after: Faces) -> NDArray[np.int64]:
    """Indices (k, 2) of faces in two pictures that are most likely the same."""
    if not len(before) or not len(after):
        return np.empty((0, 2), np.int64)
    ious = iou(before.boxes[:, None], after.boxes[None])
    best = ious.argmax(axis=1)
    chosen = np.flatnonzero(ious.argmax(axis=0)[best] == np.arange(len(before)))
    return np.stack([chosen, best[chosen]], axis=1)


def _motion(before: Faces, after: Faces, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Largest motion of a landmark of each pair, in widths of the face: (k,)."""
    a, b = before[pairs[:, 0]], after[pairs[:, 1]]
    motion = np.abs(b.landmarks - a.landmarks).max(axis=(1, 2)) / a.boxes[:, 2:].max(axis=1)
    return np.asarray(motion, np.float32)


def _are_steady(before: _Sample, after: _Sample, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of which pairs the pictures between the two need not be searched: (k,) bool."""
    straight = before.straight[pairs[:, 0]] | after.straight[pairs[:, 1]]
    return straight | (_motion(before.faces, after.faces, pairs) <= MAX_MOTION)


def _are_at(faces: Faces, expected: Faces) -> NDArray[np.bool_]:
    """Which of the faces are where one is expected: (m,) bool."""
    pairs = _pairs(faces, expected)
    return np.isin(np.arange(len(faces)), pairs[_motion(faces, expected, pairs) <= MAX_BEND, 0])


def _change(
    picture: NDArray[np.int16], before: NDArray[np.int16], after: NDArray[np.int16]
) -> float:
    """How much a thumbnail differs from both others, in the part where it does most."""
    least = np.minimum(np.abs(picture - before), np.abs(picture - after))
    return float(cv2.blur(least.astype(np.float32), (PART, PART)).max())


def _others(faces: Faces, chosen: NDArray[np.int64]) -> Faces:
    return faces[np.setdiff1d(np.arange(len(faces)), chosen)]


def _new(faces: Faces, known: Faces) -> Faces:
    """Those faces that are not among the known ones."""
    if not len(faces) or not len(known):
        return faces
    return faces[iou(faces.boxes[:, None], known.boxes[None]).max(axis=1) < SAME_FACE]


def regions_around(boxes: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.int64]:
    """Rectangles that hold the boxes with a margin, and do not overlap each other.

    Args:
        boxes: (m, 4), x, y, width, height in pixels.
        size: height and width of the picture.

    Returns:
        (r, 4) int64: left, top, right, bottom in pixels; multiples of ``GRID_PX``, except
        at the picture's edge.
    """
    if not len(boxes):
        return np.empty((0, 4), np.int64)
    low = np.floor((boxes[:, :2] - MARGIN_PX) / GRID_PX) * GRID_PX
    high = np.ceil((boxes[:, :2] + boxes[:, 2:] + MARGIN_PX) / GRID_PX) * GRID_PX
    limits = size[::-1]
    regions = np.hstack([np.clip(low, 0, limits), np.clip(high, 0, limits)]).astype(np.int64)
    return _merged(regions[(regions[:, :2] < regions[:, 2:]).all(axis=1)])


def area(regions: NDArray[np.int64]) -> int:
    """Pixels of all regions together."""
    return int(np.prod(regions[:, 2:] - regions[:, :2], axis=1).sum())


def _merged(regions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Regions of which those that overlap are merged into one."""
    merged: list[NDArray[np.int64]] = []
    for region in regions:
        while True:
            apart = [not _overlap(region, other) for other in merged]
            if all(apart):
                break
            first = apart.index(False)
            other = merged.pop(first)
            region = np.concatenate(
                [np.minimum(region[:2], other[:2]), np.maximum(region[2:], other[2:])]
            )
        merged.append(region)
    return np.array(merged, np.int64).reshape(-1, 4)


def _overlap(a: NDArray[np.int64], b: NDArray[np.int64]) -> bool:
    return bool((np.maximum(a[:2], b[:2]) < np.minimum(a[2:], b[2:])).all())
