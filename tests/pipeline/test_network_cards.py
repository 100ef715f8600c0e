"""What a user does with networks of their own: files, results that are there, mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from configs.errors import UsageError
from configs.load import load_settings
from pipeline import analyse
from pipeline.chain import crops_needed
from tests.models.made import card_of, make_small, write_card
from tests.models.test_expressions import make_affect
from tests.pipeline.command import run, summary, timeline

CLIP = "single_face.mp4"
PART = ("--to", 0.4, "--executor", "local", "--no-video")
NAMES = ["own_one", "own_two", "own_three"]


@pytest.fixture(scope="module")
def results(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder, the network beside it."""
    folder = tmp_path_factory.mktemp("cards")
    network = make_small(folder / "own.onnx").path
    options = ("--network", network, "--export", "parquet")
    assert not run("run", samples[CLIP], "-o", folder / "out", *PART, *options).returncode
    return folder / "out"


def test_a_summary_says_where_columns_come_from(results: Path) -> None:
    (network,) = summary(results / CLIP)["networks"]
    assert (network["name"], network["licence"]) == ("own.onnx", "CC0")
    assert network["source"] == "made for a test"
    assert [column["name"] for column in network["columns"]] == NAMES
    (person,) = summary(results / CLIP)["people"]
    rows = timeline(results / CLIP)
    for name in NAMES:
        mean = np.mean([float(row[name]) for row in rows if row["usable"] == "1"])
        assert person["outputs"][name] == pytest.approx(mean, abs=2e-3)


def test_codebook_and_parquet_have_units(results: Path) -> None:
    meanings = json.loads((results / CLIP / "timeline.json").read_text())
    assert list(meanings)[-3:] == NAMES
    meaning = meanings["own_one"]
    assert meaning["Units"] == "-9 to 9"
    assert meaning["Description"] == (
        "Value of own_one by the network own.onnx, smoothed over time."
    )  # fmt: skip
    table = pyarrow.parquet.read_table(results / CLIP / "timeline.parquet")
    field = table.schema.field("own_three")
    assert field.metadata[b"unit"] == b"-9 to 9"
    assert str(field.type) == "float"
    rows = timeline(results / CLIP)
    np.testing.assert_allclose(table["own_three"], [float(row["own_three"]) for row in rows])


def test_results_are_made_again_if_a_network_or_its_card_changed(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    network = make_small(tmp_path / "own.onnx").path
    settings = {"read.to_s": 0.4, "video.enabled": False}

    def made_at_ns(*files: Path) -> int:
        chosen = {**settings, "networks.files": list(files)}
        result = analyse(samples[CLIP], tmp_path / "out", executor="local", settings=chosen)
        return (result.folder / "timeline.csv").stat().st_mtime_ns

    without, with_it = made_at_ns(), made_at_ns(network)
    assert with_it > without
    assert made_at_ns(network) == with_it
    write_card(network, card_of(crop={"margin": 0.1}))
    other_card = made_at_ns(network)
    assert other_card > with_it
    make_small(network, card_of(crop={"margin": 0.1}), seed=1)
    assert made_at_ns(network) > other_card


def test_a_network_of_expressions_stands_in_for_the_shipped_one(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    made = make_affect(tmp_path / "affect.onnx")
    settings = {
        "classify.model": made.path, "read.to_s": 0.4, "smooth.keep_raw": True,
        "video.enabled": False, "networks.files": [make_small(tmp_path / "own.onnx").path],
    }  # fmt: skip
    result = analyse(samples[CLIP], tmp_path / "out", executor="local", settings=settings)
    table = result.timeline
    further = ["va_contempt", "va_valence", "va_arousal", *NAMES]
    assert list(table)[-12:] == [*further, *(f"raw_{name}" for name in further)]
    assert np.ptp(table["happy"]) > 0
    seven = table[["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]]
    np.testing.assert_allclose(seven.sum(axis=1), 1, atol=1e-6)
    assert result.summary["model"]["name"] == "affect.onnx"
    assert result.summary["model"]["licence"] == "CC0"
    assert set(result.people["mean_va_contempt"].notna()) == {True}


@pytest.mark.parametrize(
    ("card", "problem"),
    [
        (card_of(crop={"align": "dlib"}), r'own.json: crop.align: "dlib" is wrong'),
        (card_of(input={"size": 24, "colour": "grey", "layout": "NCHW", "range": [0, 1]}),
         "its input is (faces, 1, 16, 16), own.json says (faces, 1, 24, 24)"),
        (None, "own.json: missing; a network needs its card"),
    ],
)  # fmt: skip
def test_a_wrong_card_is_told_before_anything_is_analysed(
    samples: dict[str, Path], tmp_path: Path, card: dict[str, Any] | None, problem: str
) -> None:
    network = make_small(tmp_path / "own.onnx", card).path
    if card is None:
        network.with_suffix(".json").unlink()
    for option in ("--network", "--model"):
        outcome = run("run", samples[CLIP], "-o", tmp_path / "out", *PART, option, network)
        assert outcome.returncode == 2
        assert problem in " ".join(outcome.stderr.split())
        assert "Traceback" not in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_faces_are_cut_once_for_each_kind_of_crop(tmp_path: Path) -> None:
    of_48 = {"size": 48, "colour": "grey", "layout": "NCHW", "range": [0, 1]}
    cards: dict[str, dict[str, Any]] = {
        "shipped": {"input": of_48},
        "rgb": {"input": {**of_48, "colour": "rgb"}},
        "bgr": {"input": {**of_48, "colour": "bgr", "layout": "NHWC", "range": [0, 255]}},
        "box": {"input": of_48, "crop": {"margin": 0.2}},
    }
    files = []
    for name, changes in cards.items():
        files.append(tmp_path / f"{name}.onnx")
        write_card(files[-1], card_of(**changes))
    kinds = crops_needed(load_settings(flags={"networks.files": files, "classify.model": files[3]}))
    assert [(kind.colour, kind.margin) for kind in kinds] == [(False, 0.2), (True, 0.0)]
    assert crops_needed(load_settings()) == []


def test_a_keras_network_without_a_card_is_told_of_it(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "own.keras").touch()
    with pytest.raises(UsageError, match=r"own\.json: missing; a network needs its card"):
        analyse(samples[CLIP], tmp_path, settings={"networks.files": [tmp_path / "own.keras"]})


def test_columns_of_one_name_are_refused(samples: dict[str, Path], tmp_path: Path) -> None:
    first, second = (make_small(tmp_path / f"{name}.onnx").path for name in ("first", "second"))
    write_card(second, card_of(prefix="first"))
    outputs = [{"names": ["happy", "two", "three"], "kind": "value", "range": [-9, 9]}]
    third = make_small(tmp_path / "third.onnx", card_of(prefix="", outputs=outputs)).path

    def problem_of(*files: Path) -> str:
        with pytest.raises(UsageError) as caught:
            analyse(samples[CLIP], tmp_path / "out", settings={"networks.files": list(files)})
        return str(caught.value)

    assert "second.onnx: its column first_one is one of first.onnx, too" in problem_of(
        first, second
    )
    assert "third.onnx: its column happy is one of this program, too" in problem_of(third)
    assert "first.onnx: is named twice" in problem_of(first, first)
