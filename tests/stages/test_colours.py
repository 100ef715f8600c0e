"""Colours: seen on both grounds, told apart by all eyes, the same in a film as on a page."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import av
import numpy as np
import pytest

from configs.schema import ReadSettings, VideoSettings
from models.emotions import EMOTIONS
from pipeline.results.pages import asset
from stages.batch import FrameBatch
from stages.colours import BT601, BT709, COLOURS_RGB, UNCLEAR_RGB, contrast, known_colorspace
from stages.read.video_reader import VideoReader
from stages.write.video_writer import VideoWriter
from tests.stages.clips import make_clip

LEAST_DIFFERENCE = 14.5
LEAST_CONTRAST = 3.0

CONES = {
    "all": np.eye(3),
    "no red ones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "no green ones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
}  # fmt: skip
"""What linear RGB looks like to eyes with such cones (Machado et al. 2009, severity 1)."""

XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip


def lab(rgb: tuple[int, int, int], cones: np.ndarray) -> np.ndarray:
    """CIELAB of an sRGB colour, as such eyes see it."""
    parts = np.array(rgb) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    x, y, z = XYZ @ np.clip(cones @ linear, 0, 1) / (0.95047, 1, 1.08883)
    fx, fy, fz = (
        t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z)
    )
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """Difference of two colours (Sharma, Wu & Dalal 2005, equations 2 to 22)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.rad2deg(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.deg2rad(turn / 2))
    lightness, c = (l1 + l2) / 2, (c1 + c2) / 2
    h = h1 + h2 if not c1 * c2 else (h1 + turn / 2) % 360
    t = (1 - 0.17 * np.cos(np.deg2rad(h - 30)) + 0.24 * np.cos(np.deg2rad(2 * h))
         + 0.32 * np.cos(np.deg2rad(3 * h + 6)) - 0.2 * np.cos(np.deg2rad(4 * h - 63)))  # fmt: skip
    sl = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    rt = (
        -2
        * np.sqrt(c**7 / (c**7 + 25.0**7))
        * np.sin(np.deg2rad(60 * np.exp(-(((h - 275) / 25) ** 2))))
    )
    x, y, z = (l2 - l1) / sl, (c2 - c1) / sc, dh / sh
    return float(np.sqrt(x * x + y * y + z * z + rt * y * z))


def test_the_difference_is_that_of_the_published_examples() -> None:
    """Sharma, Wu & Dalal (2005), table 1: pairs 1, 7, 13, 17 and 25."""
    for one, other, difference in (
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=2e-4)


@pytest.mark.parametrize("cones", CONES)
def test_all_eyes_tell_any_two_colours_apart(cones: str) -> None:
    colours = [*COLOURS_RGB.values(), UNCLEAR_RGB]
    seen = [lab(rgb, CONES[cones]) for rgb in colours]
    least = min(ciede2000(one, other) for one, other in combinations(seen, 2))
    assert least >= LEAST_DIFFERENCE


def test_colours_stand_out_from_the_light_and_the_dark_ground() -> None:
    grounds = re.findall(r"--card: #(\w+);", asset("base.css"))
    assert len(grounds) == 2
    for digits in grounds:
        digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
        ground = tuple(bytes.fromhex(digits))
        for rgb in (*COLOURS_RGB.values(), UNCLEAR_RGB):
            assert contrast(rgb, ground) >= LEAST_CONTRAST


@pytest.mark.parametrize(("height", "colorspace"), [(720, BT709), (360, BT601)])
@pytest.mark.parametrize("stated", [2, 1, 5, 9])
def test_colours_in_a_film_are_those_of_the_page(
    tmp_path: Path, height: int, colorspace: int, stated: int
) -> None:
    """As a player shows them, which goes by what the film says."""
    source = make_clip(tmp_path / "clip.mp4", size=(height * 16 // 9, height), frames=1)
    with VideoReader(source, ReadSettings()) as reader:
        info = reader.info
        (batch,) = reader.batches()
    assert known_colorspace(2, False, height) == colorspace == info.colorspace
    colorspace = colorspace if stated == 2 else stated
    info = type(info)(**{**vars(info), "colorspace": colorspace})
    path = tmp_path / "annotated.mp4"
    writer = VideoWriter(path, info, VideoSettings(crf=1), None)
    box = (0.3 * info.width, 0.3 * height, 0.4 * height, 0.5 * height)
    for number, emotion in enumerate(EMOTIONS):
        probabilities = np.full((1, 7), 0.05)
        probabilities[0, EMOTIONS.index(emotion)] = 0.7
        faces = {
            "boxes": np.array([box], np.float32), "face_frame": np.zeros(1, int),
            "people": np.ones(1, int), "probabilities": probabilities,
            "usable": np.ones(1, np.bool_),
            "pts": batch.pts + round(number / info.rate / info.time_base),
        }  # fmt: skip
        writer.write(FrameBatch(**{**vars(batch), **faces}))
    writer.finish()
    with av.open(str(path)) as film:
        assert film.streams.video[0].codec_context.colorspace == colorspace
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    for emotion, frame in zip(EMOTIONS, frames, strict=True):
        # The line of the frame is the narrowest thing in this colour.
        near = np.abs(frame.astype(int) - COLOURS_RGB[emotion]).max(axis=2) <= 6
        assert near.sum() > height, emotion
