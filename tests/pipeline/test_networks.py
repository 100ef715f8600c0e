"""Networks of all kinds beside the one that classifies: each number is as worked out by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.load import load_settings
from pipeline.chain import find_stages, through
from stages.faces.detect import make_detector
from stages.frames import yuv_planes
from stages.read.video_reader import VideoReader
from tests.pipeline.command import run, timeline
from tests.pipeline.three_networks import COLUMNS, Face, Three, make_three, smoothed, values_in

CLIP, SECONDS, WINDOW_S = "single_face.mp4", 0.8, 0.4


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Three:
    return make_three(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def faces(samples: dict[str, Path]) -> dict[int, Face]:
    """The face of each frame, as the program finds it."""
    settings = load_settings(flags={"read.to_s": SECONDS})
    found = {}
    with VideoReader(samples[CLIP], settings.read) as reader:
        stages = find_stages(make_detector(settings.detect), reader.info, settings)
        for batch in (through(stages, frames) for frames in reader.batches()):
            for face, frame in enumerate(batch.face_frame):
                planes = yuv_planes(batch.pixels[frame].copy())
                found[batch.first_frame + int(frame)] = Face(
                    planes, batch.boxes[face], batch.landmarks[face], reader.info.colorspace
                )
    return found


def analysed(clip: Path, out: Path, three: Three, *options: object) -> Path:
    outcome = run("run", clip, "-o", out, "--no-video", *three.options, *options)
    assert outcome.returncode == 0, outcome.stderr
    return out / clip.name


@pytest.mark.parametrize(
    "executor", ["local", pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])]
)
def test_every_number_is_as_worked_out_by_itself(
    samples: dict[str, Path],
    faces: dict[int, Face],
    three: Three,
    tmp_path: Path,
    executor: str,
) -> None:
    folder = analysed(
        samples[CLIP], tmp_path, three, "--to", SECONDS, "--executor", executor,
        "--set", "smooth.keep_raw=true",
    )  # fmt: skip
    rows = timeline(folder)
    assert [int(row["frame"]) for row in rows] == list(faces)
    names = list(rows[0])
    assert names[-12:] == [*COLUMNS, *(f"raw_{name}" for name in COLUMNS)]
    raw = values_in(rows, "raw_")
    expected = np.stack([three.expected(face) for face in faces.values()])
    assert np.abs(raw - expected).max() < 0.01
    assert (expected.std(axis=0) > 0.001).all()
    assert expected.std(axis=1).min() > 0.1
    time_s = np.array([float(row["time_s"]) for row in rows])
    np.testing.assert_allclose(
        values_in(rows), smoothed(time_s, raw, WINDOW_S, live=False), atol=2e-4
    )


@pytest.mark.parametrize("wrong", ["bgr", "not normalised", "mirrored landmarks"])
def test_a_mistake_would_be_seen(faces: dict[int, Face], three: Three, wrong: str) -> None:
    face = next(iter(faces.values()))
    mistaken = replace(three, wrong=frozenset([wrong])).expected(face)
    assert np.abs(mistaken - three.expected(face)).max() > 0.05
