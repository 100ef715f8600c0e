"""Scoring, as a user runs it."""

import json
from pathlib import Path

import cv2
import numpy as np

from models.calibrate import fit_temperature
from models.metrics import expected_calibration_error
from models.network import with_temperature
from tests.models.test_dataset import write_faces
from tests.models.test_votes import write_votes
from tests.pipeline.command import ROOT, run

FIGURES = {
    "accuracy", "balanced_accuracy", "macro_f1", "ece", "n", "per_class", "confusion", "model",
}  # fmt: skip


def test_json_is_alone_on_standard_output_and_pictures_are_drawn(tmp_path: Path) -> None:
    write_faces(tmp_path / "faces", ("happy", "sad"))
    outcome = run("evaluate", tmp_path / "faces", "--json", "--plots", tmp_path / "plots")
    assert outcome.returncode == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    assert result.keys() >= FIGURES
    assert result["n"] == np.sum(result["confusion"]) == 2
    for name in ("confusion.png", "reliability.png"):
        assert cv2.imread(str(tmp_path / "plots" / name)) is not None


def test_votes_are_scored_beside_labels(tmp_path: Path) -> None:
    write_faces(tmp_path / "validation")
    alike = {f"validation/{name}/a.png": "9,0,0,0,0,0,0,1,0,0" for name in ("angry", "sad")}
    unnamed = {"validation/fear/a.png": "0,0,0,0,0,0,0,0,10,0"}
    write_votes(tmp_path, **alike, **unnamed)
    result = json.loads(run("evaluate", tmp_path, "--json").stdout)
    assert result["n"] == 7
    assert result["votes"]["n"] == 2
    assert result["votes"]["per_class"]["neutral"]["n"] == 2
    assert result["votes"].keys() >= FIGURES - {"model"}
    assert result["by_size"].keys() == {"48", "24", "16"}
    printed = run("evaluate", tmp_path).stdout
    assert "by the most votes, 2 faces" in printed


def test_data_without_votes_is_scored_by_labels_alone(tmp_path: Path) -> None:
    write_faces(tmp_path, ("happy", "sad"))
    assert json.loads(run("evaluate", tmp_path, "--json").stdout)["votes"] is None


def test_keras_and_tflite_models_agree(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "fear").mkdir()
    for number in range(16):
        noise = cv2.GaussianBlur(rng.integers(0, 256, (48, 48)).astype(np.uint8), (0, 0), 2)
        cv2.imwrite(str(tmp_path / "fear" / f"{number}.png"), noise)
    results = [
        json.loads(run("evaluate", tmp_path, "--json", "--model", ROOT / "models" / name).stdout)
        for name in ("emotions.keras", "emotions.tflite")
    ]
    difference = np.abs(np.subtract(*(result["confusion"] for result in results))).sum()
    assert difference <= 2


def test_fitted_temperature_calibrates_an_overconfident_network() -> None:
    rng = np.random.default_rng(0)
    honest = rng.dirichlet(np.full(7, 0.4), 4000)
    labels = np.array([rng.choice(7, p=row) for row in honest])
    boastful = with_temperature(honest, 0.5)
    temperature = fit_temperature(boastful, labels)
    assert abs(temperature - 2) < 0.1
    calibrated = with_temperature(boastful, temperature)
    assert expected_calibration_error(calibrated, labels) < 0.03
    assert expected_calibration_error(boastful, labels) > 0.06
