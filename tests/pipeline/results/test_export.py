"""Exports are read back by the programs that they are for."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import av
import cv2
import pandas
import pytest
from pyarrow import parquet

from configs import VERSION
from models.emotions import EMOTIONS
from tests.pipeline.command import run

CLIP = "face_noface.mov"


@pytest.fixture(scope="module")
def results(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exports")
    done("run", samples[CLIP], "-o", out, "--executor", "local", "--export", "all")
    return out / CLIP


@pytest.fixture(scope="module")
def segments(results: Path) -> list[dict[str, str]]:
    with (results / "segments.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_segments_cover_the_time_of_the_face(results: Path, segments: list[dict[str, str]]) -> None:
    table = pandas.read_csv(results / "timeline.csv")
    seen = table[table.track.notna()]
    assert segments
    for segment in segments:
        assert segment["emotion"] in EMOTIONS
        assert 0 < float(segment["confidence"]) <= float(segment["peak_confidence"]) <= 1
        assert float(segment["start_s"]) <= float(segment["peak_s"]) < float(segment["end_s"])
    assert float(segments[0]["start_s"]) == pytest.approx(seen.time_s.min(), abs=1e-3)
    lasts_s = sum(float(segment["end_s"]) - float(segment["start_s"]) for segment in segments)
    (person,) = json.loads((results / "summary.json").read_text())["people"]
    assert lasts_s == pytest.approx(person["face_s"], abs=0.5)
    assert sum(person["shares"].values()) == pytest.approx(1, abs=0.001)


def test_parquet_is_the_table_with_units_and_origin(results: Path) -> None:
    stored = parquet.read_table(results / "timeline.parquet")
    expected = pandas.read_csv(results / "timeline.csv")
    pandas.testing.assert_frame_equal(
        stored.to_pandas(), expected, check_dtype=False, rtol=1e-5, check_exact=False
    )
    assert stored.schema.field("time_s").metadata[b"unit"] == b"s"
    assert b"pleasant" in stored.schema.field("valence").metadata[b"description"]
    origin = json.loads(stored.schema.metadata[b"emotion-timelines"])
    assert Path(origin["source"]).name == CLIP
    assert origin["model"]["sha256"]
    assert origin["versions"]["emotion-timelines"] == VERSION
    assert origin["settings"]["detect"]["detector"] == "yunet"


def test_players_read_the_captions(results: Path, segments: list[dict[str, str]]) -> None:
    begins_s = film_begins_s(results / "annotated.mp4")
    with av.open(str(results / "timeline.vtt")) as captions:
        packets = [packet for packet in captions.demux() if packet.size]
        cues = [
            (float(packet.pts * packet.time_base), bytes(packet).decode()) for packet in packets
        ]
    assert len(cues) == len(segments)
    for (start_s, text), segment in zip(cues, segments, strict=True):
        assert start_s == pytest.approx(begins_s + float(segment["start_s"]), abs=0.002)
        assert segment["emotion"] in text


def test_pictures_are_drawn(results: Path) -> None:
    assert (results / "timeline.png").read_bytes().startswith(b"\x89PNG")
    svg = (results / "timeline.svg").read_text()
    assert "<svg" in svg
    for text in ("Person 1", CLIP, "100%"):  # As letters, not as outlines.
        assert f">{text}</text>" in svg


def test_a_picture_shows_a_part_in_a_size_of_its_own(
    samples: dict[str, Path], results: Path, tmp_path: Path
) -> None:
    """Made of the table that is there."""
    shutil.copytree(results, tmp_path / CLIP)
    outcome = done(
        "run", samples[CLIP], "-o", tmp_path, "--export", "png,svg",
        "--set", "picture.width_cm=10", "--set", "picture.lane_cm=2", "--set", "picture.from_s=1",
        "--set", "picture.to_s=1.5",
    )  # fmt: skip
    assert "1 done again: other segments or exports" in outcome.stdout
    height, width = cv2.imread(str(tmp_path / CLIP / "timeline.png")).shape[:2]
    assert width == pytest.approx(10 / 2.54 * 200, abs=1)
    assert height == pytest.approx((2.6 + 2) / 2.54 * 200, abs=1)
    svg = (tmp_path / CLIP / "timeline.svg").read_text()
    assert ">0:01.0</text>" in svg
    assert ">0:00.0</text>" not in svg


def test_a_missing_export_is_made_and_the_rest_left_alone(
    samples: dict[str, Path], results: Path, tmp_path: Path
) -> None:
    command = ["run", samples["single_face.mp4"], "-o", tmp_path, "--executor", "local"]
    done(*command)
    assert "1 left as they are" in done(*command).stdout
    done(*command, "--export", "vtt")
    assert (tmp_path / "single_face.mp4" / "timeline.vtt").exists()
    assert "1 left as they are" in done(*command, "--export", "vtt").stdout


def test_a_run_is_repeated_from_its_summary(
    samples: dict[str, Path], results: Path, tmp_path: Path
) -> None:
    summary = json.loads((results / "summary.json").read_text())
    assert summary["command"].startswith("run_pipeline.py run ")
    assert len(summary["input_sha256"]) == 64
    done("run", samples[CLIP], "-o", tmp_path, "--config", results / "summary.json")
    again = tmp_path / CLIP
    assert (again / "timeline.csv").read_bytes() == (results / "timeline.csv").read_bytes()
    assert (again / "timeline.eaf").exists()


def test_unknown_formats_are_refused(samples: dict[str, Path], tmp_path: Path) -> None:
    result = run("run", samples[CLIP], "-o", tmp_path, "--export", "xlsx")
    assert result.returncode == 2
    assert "export.formats" in result.stderr


def done(*arguments: object) -> subprocess.CompletedProcess[str]:
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    return result


def film_begins_s(film: Path) -> float:
    with av.open(str(film)) as container:
        frame = next(container.decode(container.streams.video[0]))
        return float(frame.pts * frame.time_base)
