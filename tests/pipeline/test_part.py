"""``--from``, ``--to`` and ``read.every``, from the command line to the results."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.pipeline.command import run, summary, timeline

CLIP = "face_noface.mov"


@pytest.fixture(scope="module")
def part(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """From 1 s to 4 s, every second frame; the face leaves in between."""
    out = tmp_path_factory.mktemp("part")
    options = ["--from", "0:01", "--to", "4.0", "--set", "read.every=2", "--export", "svg"]
    outcome = run("run", samples[CLIP], "-o", out, "--executor", "local", *options)
    assert outcome.returncode == 0, outcome.stderr
    return out / CLIP


def test_times_and_numbers_are_those_of_the_film(samples: dict[str, Path], part: Path) -> None:
    with av.open(str(samples[CLIP])) as film:
        frames = [float(frame.pts * frame.time_base) for frame in film.decode(video=0)]
    expected = {
        number: time_s - frames[0]
        for number, time_s in enumerate(frames)
        if 1 <= round(time_s - frames[0], 6) < 4 and number % 2 == 0
    }
    rows = timeline(part)
    assert [int(row["frame"]) for row in rows] == list(expected)
    assert [float(row["time_s"]) for row in rows] == pytest.approx(list(expected.values()))
    with av.open(str(part / "annotated.mp4")) as film:
        shown = [float(frame.pts * frame.time_base) for frame in film.decode(video=0)]
    assert shown == pytest.approx(list(expected.values()), abs=1e-3)


def test_what_was_left_out_is_counted(part: Path) -> None:
    facts, rows = summary(part), timeline(part)
    assert (facts["status"], facts["frames"]) == ("complete", len(rows))
    assert facts["duration_s"] == pytest.approx(
        float(rows[-1]["time_s"]) - float(rows[0]["time_s"]), abs=1e-6
    )
    first = int(rows[0]["frame"])
    assert facts["left_out"] == {"every": len(rows), "before_part": first}
    empty = [row["no_face"] for row in rows if not row["track"]]
    assert set(empty) == {"none found"}
    assert facts["without_face"] == {"none found": len(empty), "left out": 0}


def test_the_picture_shows_the_part(part: Path) -> None:
    svg = (part / "timeline.svg").read_text()
    assert ">0:01.0<" in svg
    assert ">0:00.0<" not in svg


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--from", "soon"), "--from soon: not a time, such as 90, 1:30 or 1:02:03.5"),
        (("--from", "3", "--to", "2"), "read.to_s: 2.0 is wrong: must be later than read.from_s"),
        (("--set", "read.every=0"), "read.every: 0 is wrong"),
    ],
)
def test_a_part_that_cannot_be_is_refused(
    samples: dict[str, Path], tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    outcome = run("run", samples[CLIP], "-o", tmp_path / "out", *options)
    assert outcome.returncode == 2
    assert problem in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_a_part_behind_the_end_of_the_film_fails(samples: dict[str, Path], tmp_path: Path) -> None:
    outcome = run("run", samples[CLIP], "-o", tmp_path, "--executor", "local", "--from", "1:00")
    assert outcome.returncode == 1
    assert "there is no frame to analyse from 60 s" in outcome.stderr
    assert summary(tmp_path / CLIP)["status"] == "failed"


def test_faces_that_were_too_short_are_told_from_none(
    samples: dict[str, Path], part: Path, tmp_path: Path
) -> None:
    leaves_s = max(float(row["time_s"]) for row in timeline(part) if row["track"])
    options = ["--executor", "local", "--no-video", "--from", leaves_s - 0.05]
    run("run", samples[CLIP], "-o", tmp_path, *options)
    reasons = [row["no_face"] for row in timeline(tmp_path / CLIP)]
    assert reasons[:2] == ["left out"] * 2
    assert reasons[10:] == ["none found"] * len(reasons[10:])
    assert summary(tmp_path / CLIP)["without_face"] == {
        "none found": reasons.count("none found"), "left out": reasons.count("left out")
    }  # fmt: skip
