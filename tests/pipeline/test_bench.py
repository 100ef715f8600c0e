"""Comparisons, as a user runs them."""

import json
from pathlib import Path

import pytest

from tests.pipeline.command import ROOT, run


def test_detectors_and_networks_are_compared(samples: dict[str, Path]) -> None:
    own = ROOT / "models" / "emotions.tflite"
    outcome = run("bench", samples["single_face.mp4"], "--json", "--model", own)
    assert outcome.returncode == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    by_name = {row["detector"]: row for row in result["detectors"]}
    assert {"yunet", "haar"} <= by_name.keys()
    assert by_name["yunet"]["faces"] == by_name["yunet"]["frames"] >= 24
    assert by_name["yunet"]["shared"] == 1
    assert 0.8 <= by_name["haar"]["shared"] <= 1
    assert len(result["networks"]) == 2
    assert all(row["ms_a_face"] > 0 for row in result["networks"])


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    outcome = run("bench", tmp_path / "missing.mp4")
    assert outcome.returncode != 0
    assert "missing.mp4" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.slow
def test_live_streams_are_measured() -> None:
    outcome = run(
        "bench", "--live", "--streams", 2, "--seconds", 10, "--executor", "local", "--json"
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    figures = json.loads(outcome.stdout)
    assert (figures["streams"], figures["width"], figures["rate"]) == (2, 640, 15)
    assert figures["frames"] + figures["dropped"] * figures["frames"] > 200
    assert 0 < figures["p50_ms"] <= figures["p95_ms"]
    assert figures["end_mb"] > 50
