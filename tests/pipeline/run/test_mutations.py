"""Damaged files, hundreds if asked: each ends with a reason, none hangs, none harms the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.command import RESULTS, file_names, run, summary

SEED = 20130713


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


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(0)
def test_damaged_files_end_with_a_reason(
    samples: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    count = request.config.getoption("--mutations")
    rng = np.random.default_rng(SEED)
    originals = [path.read_bytes() for path in samples.values()]
    videos = tmp_path / "videos"
    videos.mkdir()
    for number in range(count):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        chosen = rng.integers(len(originals))
        suffix = list(samples)[chosen].rpartition(".")[2]
        damaged = mutate(bytearray(originals[chosen]), rng, originals)
        (videos / f"{number:03d}-{mutate.__name__}.{suffix}").write_bytes(damaged)
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
        left = file_names(out / video.name)
        assert left == ({"summary.json"} if made["status"] == "failed" else RESULTS), made
