"""Damaged files, hundreds if asked: each ends with a reason, none hangs, none harms the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pipeline.command import RESULTS, file_names, run, summary
from tests.stages.clips import make_clip

SEED = 20130713

CONTAINERS = {
    "mkv": "libx264", "webm": "libvpx-vp9", "avi": "mpeg4", "flv": "libx264", "ts": "libx264",
    "mpg": "mpeg2video", "wmv": "wmv2",
}  # fmt: skip
"""Beside those of the sample clips, MP4 and MOV."""


def flipped(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    for place in rng.integers(0, len(data), rng.integers(1, 200)):
        data[place] ^= 1 << rng.integers(0, 8)
    return data


def truncated(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    return data[: rng.integers(1, len(data))]


def with_a_hole(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    start = rng.integers(0, len(data))
    length = rng.integers(1, max(2, len(data) // 4))
    data[start : start + length] = bytes(len(data[start : start + length]))
    return data


def with_another_head(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    length = int(rng.integers(16, 4096))
    data[:length] = others[rng.integers(len(others))][:length]
    return data


def spliced(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    cut = int(rng.integers(1, len(data)))
    return data[:cut] + others[rng.integers(len(others))][cut:]


MUTATIONS = (flipped, truncated, with_a_hole, with_another_head, spliced)


SOUNDS = {"webm": "libopus", "avi": "libmp3lame", "mpg": "mp2", "wmv": "wmav2"}


def decodable_frames(path: Path) -> int:
    """Frames that OpenCV decodes."""
    capture = cv2.VideoCapture(str(path))
    frames = 0
    while capture.grab():
        frames += 1
    return frames


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(0)
def test_damaged_files_end_with_a_reason(
    samples: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    count = request.config.getoption("--mutations")
    rng = np.random.default_rng(SEED)
    built = [
        make_clip(tmp_path / f"clip.{ending}", codec, frames=75, sound=SOUNDS.get(ending, "aac"))
        for ending, codec in CONTAINERS.items()
    ]
    clips = [*samples.values(), *built]
    originals = [path.read_bytes() for path in clips]
    videos = tmp_path / "videos"
    videos.mkdir()
    for number in range(count):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        chosen = rng.integers(len(originals))
        damaged = mutate(bytearray(originals[chosen]), rng, originals)
        name = f"{number:03d}-{mutate.__name__}{clips[chosen].suffix}"
        (videos / name).write_bytes(damaged)
    shutil.copy(samples["no_face.mp4"], videos / "whole.mp4")

    out = tmp_path / "out"
    outcome = run(
        "run", videos, "-o", out, "--set", "executor.stall_timeout_s=60", timeout_s=60 + 20 * count
    )
    assert outcome.returncode in (0, 1), outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert "internal error" not in outcome.stderr
    assert summary(out / "whole.mp4")["status"] == "complete"
    record = json.loads((out / "batch.json").read_text())
    assert record["waiting"] == 0
    for video in videos.iterdir():
        made = summary(out / video.name)
        assert (made["reason"] is None) == (made["status"] == "complete"), made
        if made["status"] == "complete":
            assert made["frames"] >= decodable_frames(video), made
        left = file_names(out / video.name)
        assert left == ({"summary.json"} if made["status"] == "failed" else RESULTS), made
