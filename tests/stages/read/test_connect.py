"""Cameras where FFmpeg cannot number them, as on macOS and Windows: OpenCV opens them.

A clip stands in for the camera; OpenCV reads it as it would read one, in real time.
"""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import cv2
import numpy as np
import pytest

from configs.schema import LiveSettings
from stages.read import connect
from stages.read.live import LiveReader
from tests.stages.clips import read_all

RATE = 15
QUICK = {"retry_wait_s": 0.1, "queue_frames": 60}


OpenCV = cv2.VideoCapture


class Webcam:
    """What ``cv2.VideoCapture`` is where the clip is the only camera, of number 0."""

    clip: ClassVar[Path]
    plugged_in: ClassVar[bool]
    in_use: ClassVar[set[Webcam]] = set()

    def __init__(self, number: int) -> None:
        there = number == 0 and self.plugged_in
        self._camera = OpenCV(str(self.clip) if there else "no such camera")
        self.isOpened, self.get = self._camera.isOpened, self._camera.get
        self.in_use.add(self)

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(1 / RATE)
        return self._camera.read() if self.plugged_in else (False, None)

    def release(self) -> None:
        self.in_use.discard(self)
        self._camera.release()


@pytest.fixture
def webcam(camera_clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> type[Webcam]:
    Webcam.clip, Webcam.plugged_in = camera_clips["mpegts"], True
    monkeypatch.setattr(connect, "sys", SimpleNamespace(platform="darwin"))
    monkeypatch.setattr(cv2, "VideoCapture", Webcam)
    return Webcam


def test_pictures_of_a_camera_are_those_it_shows(webcam: type[Webcam]) -> None:
    with LiveReader("0", LiveSettings(**QUICK, frames=24)) as reader:
        batches = [batch for batch in reader.batches() if len(batch)]
    assert webcam.in_use == set()
    assert sum(map(len, batches)) == 24
    assert reader.info is not None
    assert (reader.info.width, reader.info.height) == (640, 360)
    assert reader.info.rate == Fraction(RATE)
    assert (reader.dropped, reader.lost) == (0, 0)
    # A camera has no clock of its own: the time of a picture is that of its arrival.
    times_s = np.concatenate([batch.time_s for batch in batches])
    assert (np.diff(times_s) > 0).all()
    assert times_s[-1] >= 23 / RATE - 0.05
    shown, expected = batches[0].pixels[0], read_all(webcam.clip)[0].pixels[0]
    assert np.abs(shown.astype(int) - expected).mean() < 4


def test_camera_that_is_unplugged_is_lost_and_found_again(webcam: type[Webcam]) -> None:
    with LiveReader("0", LiveSettings(**QUICK)) as reader:
        batches = reader.batches()
        while not len(next(batches)):
            pass
        webcam.plugged_in = False
        while reader.state == "live" or "no such camera" not in (reader.reason or ""):
            next(batches)
        assert reader.state == "reconnecting"
        assert reader.gaps[0].reason == "the camera sends no more pictures"
        webcam.plugged_in = True
        while reader.state == "reconnecting":
            next(batches)
    assert webcam.in_use == set()


@pytest.mark.parametrize("number", ["1", "7"])
def test_camera_that_is_not_there_is_named_as_such(webcam: type[Webcam], number: str) -> None:
    with LiveReader(number, LiveSettings(**QUICK, attempts=2)) as reader:
        assert [batch for batch in reader.batches() if len(batch)] == []
    assert reader.reason == "given up after 2 failed attempt(s): no such camera, or it is in use"
    assert webcam.in_use == set()
