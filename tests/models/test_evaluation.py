"""Scoring, as a user runs it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.emotions import EMOTIONS
from models.metrics import expected_calibration_error
from models.network import with_temperature
from models.training import fit_temperature
from tests.models.made import make_network
from tests.models.test_dataset import write_faces
from tests.models.test_votes import write_votes
from tests.pipeline.command import ROOT, run

OTHERS = ("angry", "disgust", "fear", "neutral", "sad", "surprise")

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
    assert result["votes"]["agreement_of_halves"] == 1
    assert result["papers"]["n"] == 2
    assert result["by_size"].keys() == {"48", "24", "16"}
    assert [group["n"] for group in result["by_condition"]["brightness"]] == [2]
    printed = run("evaluate", tmp_path).stdout
    assert "by the most votes, 2 faces" in printed
    assert "rule of papers on FER+" in printed
    assert "two halves of the people agree on 1.0000" in printed
    assert "mean grey level 0 to 64" in printed


def test_data_without_votes_is_scored_by_labels_alone(tmp_path: Path) -> None:
    write_faces(tmp_path, ("happy", "sad"))
    assert json.loads(run("evaluate", tmp_path, "--json").stdout)["votes"] is None


@pytest.mark.parametrize("colour", ["grey", "rgb", "bgr"])
def test_network_with_a_card_is_scored(tmp_path: Path, colour: str) -> None:
    card = {
        "input": {"size": 16, "colour": colour, "layout": "NCHW", "range": [0, 1]},
        "crop": {"margin": 0.0},
        "outputs": [{"names": ["glad", *OTHERS], "kind": "softmax", "logits": True}],
        "emotions": {"glad": "happy"},
        "licence": "CC0",
        "source": "made for a test",
    }
    channels = 1 if colour == "grey" else 3
    path = tmp_path / "mine.onnx"
    made = make_network(path, card, channels=channels, size=16, outputs=7, block=16, gain=9)
    expected = np.zeros((7, 7), int)
    for name, bgr in (("happy", (250, 20, 60)), ("sad", (30, 90, 200))):
        (tmp_path / "faces" / name).mkdir(parents=True)
        picture = np.full((60, 60, 3), bgr, np.uint8)
        cv2.imwrite(str(tmp_path / "faces" / name / "a.png"), picture)
        pixel = np.array(bgr if colour == "bgr" else bgr[::-1])
        if colour == "grey":
            pixel = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[:1, 0]
        values = np.tile(pixel.reshape(1, -1, 1, 1) / 255, (1, 1, 16, 16))
        said = ("happy", *OTHERS)[made.linear(values)[0].argmax()]
        expected[EMOTIONS.index(name), EMOTIONS.index(said)] += 1
    outcome = run("evaluate", tmp_path / "faces", "--json", "--model", path)
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["confusion"] == expected.tolist()


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
