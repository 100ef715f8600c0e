"""The table is read back with the same types, whatever is in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pyarrow
import pympi
import pytest
from pyarrow import dataset, parquet

from configs.schema import ExportSettings, Settings
from pipeline.results import segments
from pipeline.results.exports.writers import write_exports
from pipeline.results.segments import LABELS
from pipeline.results.summary import Provenance
from pipeline.results.timeline import read_table, timeline_of
from pipeline.results.video_result import Recorded, read_result
from stages.columns import TIMELINE, column_names, timeline_columns
from tests.pipeline.results.made import provenance_of

COLUMNS, ALL = column_names(TIMELINE), column_names(timeline_columns(keep_raw=True))
FACE = (
    "1",
    "10.0",
    "20.0",
    "30.0",
    "40.0",
    "0.900",
    "happy",
    *["0.1000"] * 3,
    "0.4000",
    *["0.1000"] * 3,
)

KEPT = provenance_of(smooth={"keep_raw": True})
LOOKS = ("0.3000", "50.0", "-1.5", "1", "")
"""Valence, eyes, roll, usable, and no reason for an absence."""


def recorded(film: Path, provenance: Provenance) -> Recorded:
    return Recorded(source=film, film=film, film_starts_s=0.0, provenance=provenance)


def write_table(path: Path, with_face: list[bool]) -> Path:
    """A table of 25 frames a second, of which some have a face."""
    lines = [",".join(ALL)]
    for frame, there in enumerate(with_face):
        nobody = [""] * (len(COLUMNS) - 3) + ["none found"] + [""] * 7
        face = (*FACE, *LOOKS, *FACE[-7:]) if there else nobody
        lines.append(",".join([str(frame), f"{frame / 25:.6f}", *face]))
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("with_face", [[True] * 3, [False] * 3, [False, True], [True], []])
def test_columns_have_their_types_always(tmp_path: Path, with_face: list[bool]) -> None:
    table = read_table(write_table(tmp_path / "timeline.csv", with_face))
    types = {field.name: field.type for field in table.schema}
    assert types["emotion"] == types["no_face"] == pyarrow.string()
    assert types["frame"] == types["track"] == types["usable"] == pyarrow.int64()
    assert types["time_s"] == pyarrow.float64()
    for name in set(ALL) - {"emotion", "no_face", "frame", "track", "usable", "time_s"}:
        assert types[name] == pyarrow.float32(), name
    assert timeline_of(table).usable.tolist() == with_face


def test_a_first_face_after_many_frames_without_one_is_read(tmp_path: Path) -> None:
    """Types are guessed from the first megabyte, where they are not given."""
    table = read_table(write_table(tmp_path / "timeline.csv", [False] * 60_000 + [True]))
    assert table["emotion"][-1].as_py() == "happy"


def test_parquet_of_many_videos_is_one_data_set(tmp_path: Path) -> None:
    for name, with_face in (("a", [False] * 4), ("b", [True] * 4), ("c", [False])):
        folder = tmp_path / name
        table = write_table(folder / "timeline.csv", with_face)
        result = read_result(table, recorded(folder / "film.mp4", KEPT), Settings())
        settings = Settings(export=ExportSettings(formats=["parquet"]))
        assert write_exports(result, folder, settings) == []
    paths = sorted(tmp_path.glob("*/timeline.parquet"))
    assert len({parquet.read_schema(path).remove_metadata() for path in paths}) == 1
    whole = dataset.dataset(paths).to_table().to_pandas()
    assert whole.emotion.dropna().tolist() == ["happy"] * 4
    assert np.isnan(whole.happy[:4]).all()


def test_segments_of_a_video_without_a_face_have_types(tmp_path: Path) -> None:
    path = tmp_path / "segments.csv"
    names = column_names(segments.COLUMNS)
    path.write_text(",".join(names) + "\n")
    types = {field.name: str(field.type) for field in read_table(path, segments.COLUMNS).schema}
    assert types == {"track": "int64", "emotion": "string", **dict.fromkeys(names[2:], "double")}


def test_labels_are_the_same_in_every_export(tmp_path: Path) -> None:
    """Happy for a second, then flat: nothing is clear."""
    flat = (*FACE[:6], "angry", "0.2000", *["0.1333"] * 5, "0.1335")
    lines = [",".join(COLUMNS)]
    for frame in range(50):
        face = FACE[:7] + ("0.0500",) * 3 + ("0.7000",) + ("0.0500",) * 3 if frame < 25 else flat
        lines.append(",".join([str(frame), f"{frame / 25:.6f}", *face, *LOOKS]))
    table = tmp_path / "timeline.csv"
    table.write_text("\n".join(lines) + "\n")
    film = tmp_path / "film.mp4"
    result = read_result(table, recorded(film, provenance_of()), Settings())
    settings = Settings(export=ExportSettings(formats=["eaf", "vtt", "svg", "png"]))
    assert write_exports(result, tmp_path, settings) == []
    found = pandas.read_csv(tmp_path / "segments.csv")
    assert found.emotion.tolist() == ["happy", "unclear"]
    assert result.people[0].transitions == {"happy > unclear": 1}
    annotations = pympi.Eaf(str(tmp_path / "timeline.eaf")).get_annotation_data_for_tier("Person 1")
    assert [value for *_, value in annotations] == ["happy", "unclear"]
    captions = (tmp_path / "timeline.vtt").read_text()
    assert [name for name in LABELS if name in captions] == ["happy", "unclear"]
    assert (tmp_path / "timeline.svg").stat().st_size > 1000
