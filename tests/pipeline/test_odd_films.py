"""Films that are no plain video file, or not upright, through the command as a user runs it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from tests.pipeline.command import file_names, run, summary, timeline

PICTURES = 12


@pytest.fixture
def pictures(samples: dict[str, Path], tmp_path: Path) -> Path:
    """A folder ``walk`` with the first pictures of a clip, numbered from 1."""
    folder = tmp_path / "walk"
    folder.mkdir()
    with av.open(str(samples["single_face.mp4"])) as container:
        for number, frame in enumerate(islice(container.decode(video=0), PICTURES), 1):
            picture = frame.to_image()  # type: ignore[no-untyped-call]
            picture.save(folder / f"frame{number:04d}.png")
    return folder


@pytest.mark.parametrize("name", ["walk", "walk/frame%04d.png"])
def test_numbered_pictures_become_a_film(pictures: Path, tmp_path: Path, name: str) -> None:
    source, out = tmp_path / name, tmp_path / "out"
    outcome = run("run", source, "-o", out, "--executor", "local", "--set", "read.rate=10")
    assert outcome.returncode == 0, outcome.stderr
    made = summary(out / source.name)
    assert (made["status"], made["frames"], made["tracks"]) == ("complete", PICTURES, 1)
    times_s = sorted({float(row["time_s"]) for row in timeline(out / source.name)})
    np.testing.assert_allclose(times_s, np.arange(PICTURES) / 10)
    assert "annotated.mp4" in file_names(out / source.name)
    assert made["input_sha256"]
    again = run("run", source, "-o", out, "--executor", "local", "--set", "read.rate=10")
    assert "1 left as they are" in again.stderr + again.stdout


def test_numbered_pictures_need_a_rate(pictures: Path, tmp_path: Path) -> None:
    outcome = run("run", pictures, "-o", tmp_path / "out")
    assert outcome.returncode == 1
    assert "12 numbered pictures, but no video; --set read.rate=25" in outcome.stderr


def test_pictures_that_lie_are_told_or_turned(samples: dict[str, Path], tmp_path: Path) -> None:
    lying = tmp_path / "lying.mp4"
    with av.open(str(samples["single_face.mp4"])) as source, av.open(str(lying), "w") as target:
        stream = target.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 360, 640, "yuv420p"
        for index, frame in enumerate(source.decode(video=0)):
            turned = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24")))
            picture = av.VideoFrame.from_ndarray(turned, "rgb24")
            picture.pts = index
            target.mux(stream.encode(picture))
        target.mux(stream.encode(None))
    plain, turned_out = tmp_path / "plain", tmp_path / "turned"
    options = ("--executor", "local", "--no-video")
    assert run("run", lying, "-o", plain, *options).returncode == 0
    made = summary(plain / "lying.mp4")
    assert made["status"] == "complete"
    assert "--set read.rotate=90" in made["warnings"][0]
    auto = (*options, "--set", "read.rotate=auto")
    assert run("run", lying, "-o", turned_out, *auto).returncode == 0
    made = summary(turned_out / "lying.mp4")
    assert (made["video"]["width"], made["video"]["height"]) == (640, 360)
    assert made["video"]["rotate"] == 90
    assert made["warnings"] == ["pictures were turned by 90 degrees clockwise, for faces"]
