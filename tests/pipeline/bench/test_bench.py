"""Benchmarks, as a user runs them."""

import json
from pathlib import Path

import pytest

from tests.models.made import make_small
from tests.pipeline.command import ROOT, run


def test_detectors_and_networks_are_compared(samples: dict[str, Path], tmp_path: Path) -> None:
    own, further = ROOT / "models" / "emotions.tflite", make_small(tmp_path / "own.onnx").path
    outcome = run(
        "bench", samples["single_face.mp4"], "--parts", "--json", "--model", own,
        "--network", further,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    by_name = {row["detector"]: row for row in result["detectors"]}
    assert {"yunet", "haar"} <= by_name.keys()
    assert by_name["yunet"]["faces"] == by_name["yunet"]["frames"] >= 24
    assert by_name["yunet"]["shared"] == 1
    assert 0.8 <= by_name["haar"]["shared"] <= 1
    assert [row["model"] for row in result["networks"]] == [str(own), str(further)]
    assert all(row["ms_a_face"] > 0 for row in result["networks"])


def test_a_missing_source_is_reported(tmp_path: Path) -> None:
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
    (figures,) = json.loads(outcome.stdout)["live"]
    assert (figures["streams"], figures["width"], figures["rate"]) == (2, 640, 15)
    assert figures["frames"] + figures["dropped"] * figures["frames"] > 200
    assert 0 < figures["p50_ms"] <= figures["p95_ms"]
    assert figures["end_mb"] > 50


@pytest.mark.slow
@pytest.mark.ray
def test_the_pipeline_is_measured_against_baseline_and_upper_bound(
    samples: dict[str, Path],
) -> None:
    outcome = run("bench", samples["single_face.mp4"], "--rounds", 1, "--json", timeout_s=280)
    assert outcome.returncode == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    rows = {row["contender"]: row for row in result["pipeline"]}
    assert {"decode", "decode + encode", "baseline", "local", "Ray"} <= rows.keys()
    assert rows["decode + encode"]["of_upper_bound"] == rows["baseline"]["of_baseline"] == 1
    for row in rows.values():
        assert 0 < row["slowest"] <= row["frames_per_s"] <= row["fastest"]
        assert row["cpu_ms"] > 0
        assert row["start_s"] > 0
        assert 10 < row["peak_mb"] < 10_000
    assert result["profile"][-1]["step"] == "all"


def test_recall_of_searching_less_is_shown(samples: dict[str, Path]) -> None:
    clips = [samples["single_face.mp4"], samples["no_face.mp4"]]
    outcome = run("bench", *clips, "--recall", "--json")
    assert outcome.returncode == 0, outcome.stderr
    first, nobody, together = json.loads(outcome.stdout)["recall"]
    assert (first["faces"], nobody["faces"], together["faces"]) == (72, 0, 72)
    assert first["found"] == 1
    assert 0.9 < first["iou"] <= 1
    assert first["small_faces"] == 0


def test_recall_of_small_faces_is_shown_apart(further_clips: Path) -> None:
    clip = further_clips / "street_crowd_1080p.mp4"
    outcome = run("bench", clip, "--recall", "--json", "--set", "read.every=8")
    assert outcome.returncode == 0, outcome.stderr
    figures = json.loads(outcome.stdout)["recall"][0]
    assert figures["small_faces"] == figures["faces"] > 50
    assert figures["small_found"] == figures["found"]


def test_agreement_of_a_video_with_itself_at_a_quarter_of_its_size_is_shown(
    samples: dict[str, Path],
) -> None:
    clips = [samples["single_face.mp4"], samples["no_face.mp4"]]
    outcome = run("bench", *clips, "--small", "--json")
    assert outcome.returncode == 0, outcome.stderr
    first, nobody, together = json.loads(outcome.stdout)["small"]
    assert (first["faces"], nobody["faces"], together["faces"]) == (72, 0, 72)
    assert first["found"] == 1
    assert 0.7 < first["iou"] < 1
    assert first["same_emotion"] > 0.9


def test_the_profile_names_every_step(samples: dict[str, Path]) -> None:
    outcome = run("bench", samples["single_face.mp4"], "--profile", "--json")
    assert outcome.returncode == 0, outcome.stderr
    rows = {row["step"]: row for row in json.loads(outcome.stdout)["profile"]}
    assert {"decode", "search", "networks", "finalise", "encode"} <= rows.keys()
    together = rows.pop("all")
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1)
    assert sum(row["cpu_ms"] for row in rows.values()) == pytest.approx(together["cpu_ms"])
    bound = rows["decode"]["cpu_ms"] + rows["encode"]["cpu_ms"]
    assert together["of_upper_bound"] == pytest.approx(together["cpu_ms"] / bound)
    assert together["of_upper_bound"] > 1
    assert rows["encode"]["cpu_ms"] > rows["track"]["cpu_ms"] > 0
