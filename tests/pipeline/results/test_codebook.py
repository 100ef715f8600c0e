"""Codebooks say of each column of each table what it means, and nothing that is not so."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from models.emotions import EMOTIONS
from pipeline.results.person import Person
from pipeline.results.summary import SCHEMA, Provenance, Summary
from tests.pipeline.command import SUMMARY_SCHEMA, run

CLIP = "face_noface.mov"

PARSERS = {"integer": int, "number": float, "string": str}


@pytest.fixture(scope="module")
def results(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("codebooks")
    options = ["--executor", "local", "--no-video", "--set", "smooth.keep_raw=true"]
    assert not run("run", samples[CLIP], "-o", out, *options).returncode
    return out


def test_the_schema_of_summaries_names_all_that_is_in_them(results: Path) -> None:
    schema = json.loads((results / SCHEMA).read_text())
    Draft202012Validator.check_schema(schema)
    real = {part.name for made in (Summary, Provenance) for part in fields(made)}
    assert set(schema["properties"]) == real
    people = schema["properties"]["people"]["items"]
    assert set(people["required"]) == set(people["properties"]) == {
        part.name for part in fields(Person)
    }  # fmt: skip
    assert schema["$defs"]["expression"]["enum"] == list(EMOTIONS)
    assert set(schema["properties"]["without_face"]["properties"]) == set(
        json.loads((results / CLIP / "summary.json").read_text())["without_face"]
    )
    SUMMARY_SCHEMA.validate(json.loads((results / CLIP / "summary.json").read_text()))


def test_each_table_has_its_codebook(results: Path) -> None:
    tables = sorted(results.rglob("*.csv"))
    assert {table.name for table in tables} >= {"timeline.csv", "segments.csv"}
    for table in tables:
        with table.open(newline="") as lines:
            reader = csv.DictReader(lines)
            values = list(reader)
        meanings = json.loads(table.with_suffix(".json").read_text())
        assert list(meanings) == reader.fieldnames
        for name, meaning in meanings.items():
            assert meaning["Description"].endswith("."), name
            there = {row[name] for row in values} - {""}
            assert there or "empty" in meaning["Description"].lower(), name
            assert all(PARSERS[meaning["Format"]](value) is not None for value in there), name
            assert "Levels" not in meaning or there <= set(meaning["Levels"]), name
            assert meaning.get("Units", "").startswith(UNITS.get(name.rpartition("_")[2], "")), name


UNITS = {"s": "s", "px": "px", "deg": "deg"}
"""By the end of a column's name."""
