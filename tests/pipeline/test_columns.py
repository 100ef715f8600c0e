"""A column that is declared in ``stages/columns.py`` is in all that is made of the timeline."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from pyarrow import parquet

CLIP = "face_noface.mov"
DESCRIPTION = "Area of the face's bounding box. Empty without a face."

PROGRAM = f"""
import json, sys
from stages import columns

columns.TIMELINE += (
    columns.TimelineColumn(
        name="area_px2",
        description="{DESCRIPTION}",
        unit="px2",
        source=lambda values: values.batch.boxes[:, 2] * values.batch.boxes[:, 3],
        cell=".0f",
        mean_of="area of the face",
    ),
)

from pipeline import analyse, load
from pipeline.cli import app

clip, out = sys.argv[1:]
result = analyse(clip, out, executor="local", settings={{"export.formats": ["parquet"]}})
app(["export", out, "--bins", "1"], standalone_mode=False)
loaded = load(out, "timeline")["area_px2"], load(out, "bins")["mean_area_px2"]
kinds = [str(column.dtype) for column in loaded]
print(json.dumps([kinds, result.summary["people"][0]["outputs"]]))
"""


@pytest.fixture(scope="module")
def made(
    samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[list[str]]]:
    """An output folder of a program with one more column, and what it found out itself."""
    out = tmp_path_factory.mktemp("columns")
    words = [sys.executable, "-c", PROGRAM, samples[CLIP], out]
    root = Path(__file__).parents[2]
    outcome = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)
    return out, json.loads(outcome.stdout.splitlines()[-1])


def test_an_added_column_is_in_every_table(made: tuple[Path, list[list[str]]]) -> None:
    out, (kinds, outputs) = made
    table = pandas.read_csv(out / CLIP / "timeline.csv")
    assert table.columns[-1] == "area_px2"
    area = table["width"] * table["height"]
    assert np.allclose(table["area_px2"], area, rtol=0.01, atol=5, equal_nan=True)
    assert area.notna().any()
    assert area.isna().any()
    stored = parquet.read_table(out / CLIP / "timeline.parquet")
    assert stored.schema.field("area_px2").metadata[b"description"].decode() == DESCRIPTION
    assert stored["area_px2"].null_count == table["area_px2"].isna().sum()
    meaning = json.loads((out / CLIP / "timeline.json").read_text())["area_px2"]
    assert meaning == {"Description": DESCRIPTION, "Units": "px2", "Format": "number"}
    bins = pandas.read_csv(out / "bins.csv")
    first = table[(table["time_s"] < 1) & table["usable"].eq(1)]
    assert bins["mean_area_px2"][0] == pytest.approx(first["area_px2"].mean(), rel=0.01)
    assert bins["max_area_px2"][0] == first["area_px2"].max()
    of_bins = json.loads((out / "bins.json").read_text())
    assert of_bins["mean_area_px2"]["Description"].startswith("Mean area of the face, over usable")
    assert kinds == ["float32", "float64"]
    assert outputs == {}  # It is no network's.
