"""A video of stills with known labels is labelled as they are."""

from __future__ import annotations

import csv
import zipfile
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from configs.load import load_settings
from models.emotions import EMOTIONS
from models.votes import VOTES_FILE, load_votes
from pipeline.still_faces import make_face_cutter
from stages.classify import load_network
from tests.pipeline.command import ROOT, run

ARCHIVE = ROOT.parent / "shared" / "data" / "fer2013.zip"
RATE, STILLS, FACE_PX = 15, 28, 240


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, np.ndarray]]:
    """What most people see in pictures of the validation split, evenly from all expressions, and
    the pictures, (48, 48) grey."""
    if not ARCHIVE.exists():
        pytest.skip("FER-2013 is not here")
    folder = tmp_path_factory.mktemp("fer")
    rng = np.random.default_rng(7)
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extract(VOTES_FILE, folder)
        paths = [name for name in sorted(archive.namelist()) if name.startswith("validation/")]
        votes = load_votes(folder, "validation", [name.split("/", 1)[1] for name in paths])
        assert votes is not None
        chosen = []
        for number in range(STILLS):
            label = number % len(EMOTIONS)
            own = np.flatnonzero(votes.majority == label)
            content = np.frombuffer(archive.read(paths[rng.choice(own)]), np.uint8)
            chosen.append((EMOTIONS[label], cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)))
    return chosen


@pytest.fixture(scope="module")
def segments(
    stills: list[tuple[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[float, float, str]]:
    """What is found in a film that shows each still for a second: start, end, expression."""
    folder = tmp_path_factory.mktemp("stills")
    with av.open(str(folder / "stills.mp4"), "w") as film:
        stream = film.add_stream("libx264", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for _, still in stills:
            # Its edge is repeated around it, as video has no border around a face.
            large = cv2.resize(still, (FACE_PX, FACE_PX))
            picture = cv2.copyMakeBorder(large, 60, 60, 200, 200, cv2.BORDER_REPLICATE)
            picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
            planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            for _ in range(RATE):
                frame.pts = None
                film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    run("run", folder / "stills.mp4", "-o", folder / "out", "--executor", "local", "--no-video")
    with (folder / "out" / "stills.mp4" / "segments.csv").open(newline="") as lines:
        found = [
            (float(row["start_s"]), float(row["end_s"]), row["emotion"])
            for row in csv.DictReader(lines)
        ]
    return sorted(found)


def shown_at(segments: list[tuple[float, float, str]], at_s: float) -> str | None:
    return next((emotion for start, end, emotion in segments if start <= at_s < end), None)


def test_labels_are_those_that_the_network_gives_the_stills(
    stills: list[tuple[str, np.ndarray]], segments: list[tuple[float, float, str]]
) -> None:
    cut = make_face_cutter()
    faces = np.stack([cut(still)[0] for _, still in stills])
    predicted, _ = load_network(load_settings()).classify(faces)
    alone = [EMOTIONS[index] for index in predicted.argmax(axis=1)]
    in_film = [shown_at(segments, second + 0.5) for second in range(STILLS)]
    right_alone = sum(name == label for name, (label, _) in zip(alone, stills, strict=True))
    right_in_film = sum(name == label for name, (label, _) in zip(in_film, stills, strict=True))
    assert right_alone >= STILLS / 2
    assert right_in_film >= right_alone - 3  # A standard error of as many stills.


def test_changes_are_found_within_a_fifth_of_a_second(
    stills: list[tuple[str, np.ndarray]], segments: list[tuple[float, float, str]]
) -> None:
    in_film = [shown_at(segments, second + 0.5) for second in range(STILLS)]
    starts = np.array([start for start, _, _ in segments])
    for second in range(1, STILLS):
        if in_film[second] != in_film[second - 1] and in_film[second] is not None:
            assert np.abs(starts - second).min() <= 0.2, second
