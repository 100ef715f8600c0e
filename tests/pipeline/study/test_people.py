"""Names of people, corrections in ELAN, and what later runs make of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pympi
import pytest

from configs.load import load_settings
from models.emotions import EMOTIONS
from pipeline import analyse, load
from tests.pipeline.command import run, summary
from tests.pipeline.study.made import (
    RATE,
    MadeFace,
    MadeVideo,
    make_result,
    probabilities,
    times_s,
    wandering,
)

HAPPY, SAD, NEUTRAL = (
    probabilities(**{name: 0.7}) for name in ("happy", "sad", "neutral")
)  # fmt: skip


def constant(values: np.ndarray, frames: int, seen: slice | None = None, **more: float) -> MadeFace:
    there = np.zeros(frames, bool)
    there[seen or slice(None)] = True
    return MadeFace(np.tile(values, (frames, 1)), seen=there, **more)


def export(out: Path, *options: object) -> None:
    outcome = run("export", out, *options)
    assert outcome.returncode == 0, outcome.stderr


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Anna before and after a cut, Ben with her until then; and Anna alone in a second video."""
    out, frames = tmp_path / "out", 100
    faces = {
        1: constant(HAPPY, frames, slice(0, 60)),
        2: constant(SAD, frames, slice(0, 60), side_px=50),
        3: constant(NEUTRAL, frames, slice(60, 100)),
    }
    make_result(out, "a.mp4", MadeVideo(faces, times_s(4)))
    make_result(out, "b.mp4", MadeVideo({1: constant(SAD, 50)}, times_s(2)))
    return out


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.csv"
    path.write_text("video,track,name\na.mp4,1,Anna\na.mp4,3,Anna\na.mp4,2,\nb.mp4,1,Anna\n")
    return path


def test_tracks_of_one_name_are_one_person(out: Path, names: Path) -> None:
    untouched = (out / "a.mp4" / "timeline.csv").read_bytes()
    export(out, "--names", names, "--bins", 1, "--formats", "eaf,vtt,svg")
    people = pandas.read_csv(out / "people.csv")
    assert people[["video", "track", "name", "face_s", "changes"]].to_numpy().tolist() == [
        ["a.mp4", 1, "Anna", 4.0, 1],
        ["b.mp4", 1, "Anna", 2.0, 0],
    ]
    assert people.share_happy.tolist() == [0.6, 0]
    assert pandas.read_csv(out / "videos.csv").people.tolist() == [1, 1]
    assert len(rows(out / "bins.csv")) == 6
    segments = rows(out / "a.mp4" / "segments.csv")
    assert [(row["track"], row["emotion"]) for row in segments] == [
        ("1", "happy"),
        ("1", "neutral"),
    ]
    report = (out / "a.mp4" / "report.html").read_text()
    assert "<b>Anna</b>" in report
    assert "Person" not in report.partition("<script>")[0].partition("<details")[0]
    document = pympi.Eaf(str(out / "a.mp4" / "timeline.eaf"))
    assert "Anna" in document.get_tier_names()
    assert "<v Anna>" in (out / "a.mp4" / "timeline.vtt").read_text()
    assert (out / "a.mp4" / "timeline.csv").read_bytes() == untouched
    told = summary(out / "a.mp4")
    assert [person["track"] for person in told["people"]] == [1, 2, 3]
    assert told["strip"] == 36 * "3" + 24 * "4"  # Without Ben, who is sad.


def test_participants_may_be_told_by_name(out: Path, names: Path, tmp_path: Path) -> None:
    """Two people of one video in a condition each, with names that captions must escape."""
    names.write_text('video,track,name\na.mp4,1,"A <  & B"\na.mp4,2,$B$\n')
    told = tmp_path / "participants.csv"
    told.write_text(
        'video,name,participant,condition\na.mp4,"A < & B",x,here\na.mp4,$B$,y,$there$\n'
    )
    export(out, "--names", names, "--participants", told, "--formats", "vtt,svg,eaf")
    assert [(row["track"], row["condition"]) for row in rows(out / "people.csv")] == [
        ("1", "here"), ("2", "$there$"), ("3", ""), ("1", "")
    ]  # fmt: skip
    assert "condition" not in rows(out / "videos.csv")[0]
    conditions = {(row["condition"], row["measure"]): row for row in rows(out / "conditions.csv")}
    assert conditions["here", "happy"]["mean"] == conditions["$there$", "sad"]["mean"] == "0.7"
    assert "<v A &lt; &amp; B>A &lt; &amp; B: happy 70%" in (
        (out / "a.mp4" / "timeline.vtt").read_text()
    )
    assert "<b>A &lt; &amp; B</b>" in (out / "a.mp4" / "report.html").read_text()
    assert "A < & B" in pympi.Eaf(str(out / "a.mp4" / "timeline.eaf")).get_tier_names()
    assert ">$there$ (n = 1)</text>" in (out / "conditions.svg").read_text()


def test_without_names_everyone_is_back(out: Path, names: Path) -> None:
    before = [(out / "a.mp4" / name).read_text() for name in ("segments.csv", "report.html")]
    people = load(out, "people")
    export(out, "--names", names)
    assert len(load(out, "people")) == 2
    export(out)
    pandas.testing.assert_frame_equal(load(out, "people"), people)
    after = [(out / "a.mp4" / name).read_text() for name in ("segments.csv", "report.html")]
    assert after == before


def test_larger_face_counts_where_two_of_a_name_are_seen_at_once(out: Path, names: Path) -> None:
    names.write_text("video,track,name\na.mp4,1,Anna\na.mp4,2,Anna\n")
    export(out, "--names", names)
    anna, other, *_ = rows(out / "people.csv")
    assert (anna["name"], anna["face_s"], anna["share_happy"]) == ("Anna", "2.4", "1.0")
    assert (other["track"], other["name"]) == ("3", "")


def test_template_names_everyone_apart_and_is_read_back(out: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.csv"
    export(out, "--names-template", template)
    told = rows(template)
    assert [(row["video"], row["track"]) for row in told] == [
        ("a.mp4", "1"), ("a.mp4", "2"), ("a.mp4", "3"), ("b.mp4", "1")
    ]  # fmt: skip
    assert len({row["name"] for row in told}) == 4
    before = load(out, "people").drop(columns="name")
    export(out, "--names", template)
    pandas.testing.assert_frame_equal(load(out, "people").drop(columns="name"), before)


def test_main_person_is_the_one_seen_longest(out: Path, names: Path) -> None:
    export(out, "--main-person", "--bins", 4)
    assert [(row["video"], row["track"]) for row in rows(out / "people.csv")] == [
        ("a.mp4", "1"), ("b.mp4", "1")
    ]  # fmt: skip
    assert [row["seen_share"] for row in rows(out / "bins.csv")] == ["0.6", "1.0"]


def test_baseline_of_a_name_serves_in_all_videos(out: Path, names: Path, tmp_path: Path) -> None:
    """And what a person's neutral face looks like is taken away in part, none of it guessed."""
    events = tmp_path / "events.csv"
    events.write_text("video,event,start_s,end_s\nb.mp4,rest,0,2\na.mp4,film,0,1\n")
    export(out, "--names", names, "--events", events, "--baseline", "rest")
    rest, film = rows(out / "events.csv")
    assert (film["event"], rest["event"]) == ("film", "rest")
    assert float(rest["baseline_sad"]) < float(rest["mean_sad"])
    assert float(rest["baseline_neutral"]) > float(rest["mean_neutral"])
    assert float(film["baseline_happy"]) != float(film["mean_happy"])
    names.write_text("video,track,name\n")
    outcome = run("export", out, "--names", names, "--events", events, "--baseline", "rest")
    assert "a.mp4, person 1: no usable neutral face" in outcome.stderr
    assert {row["baseline_happy"] for row in rows(out / "events.csv")[1:]} == {""}


def events_in(folder: Path) -> list[Any]:
    """Those that a report shows."""
    page = (folder / "report.html").read_text()
    data = page.partition('<script type="application/json" id="data">')[2]
    return json.loads(data.partition("</script>")[0])["events"]


def test_reports_show_events_until_an_export_without_them(out: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("video,event,start_s,end_s,offset_s\na.mp4,late,2,3,0.5\na.mp4,early,0,1,\n")
    shown = [["early", 0, 1], ["late", 2.5, 3.5]]
    before = (out / "b.mp4" / "report.html").stat()
    export(out, "--events", events)
    assert events_in(out / "a.mp4") == shown
    assert (out / "b.mp4" / "report.html").stat().st_mtime_ns == before.st_mtime_ns
    export(out, "--events", events, "--set", "segments.min_s=1")  # The whole is renewed.
    assert events_in(out / "a.mp4") == shown
    export(out, "--bins", 1)
    assert events_in(out / "a.mp4") == []


def test_later_runs_heed_events_and_names(samples: dict[str, Path], tmp_path: Path) -> None:
    """Whether they make all anew of the table, or of the video."""
    out, clip = tmp_path / "out", samples["single_face.mp4"]
    analyse(clip, out, executor="local")
    events, names = tmp_path / "events.csv", tmp_path / "names.csv"
    events.write_text("video,event,start_s,end_s\nsingle_face.mp4,smile,0.6,2.4\n")
    names.write_text("video,track,name\nsingle_face.mp4,1,Anna\n")
    export(out, "--events", events, "--names", names, "--baseline", "smile")
    baseline = load(out, "people").baseline_happy
    for more in ({"segments.min_s": 1}, {"smooth.window_s": 0.1}):
        analyse(clip, out, executor="local", settings=more)
        assert events_in(out / clip.name) == [["smile", 0.6, 2.4]]
        known = "segments.min_s" in more
        assert ("number 1 in the film, " in (out / clip.name / "report.html").read_text()) is known
        assert ("Anna" in (out / "index.html").read_text()) is known
        assert load(out, "people").baseline_happy.tolist() == pytest.approx(
            baseline.tolist() if known else [np.nan], nan_ok=True
        )


def test_names_are_of_one_analysis(samples: dict[str, Path], tmp_path: Path) -> None:
    """Another analysis may number people otherwise: then no name is put on anyone."""
    out, clip, settings = tmp_path / "out", samples["single_face.mp4"], {"video.enabled": False}
    result = analyse(clip, out, executor="local", settings=settings)
    names = tmp_path / "names.csv"
    names.write_text("video,track,name\nsingle_face.mp4,1,Anna\n")
    export(out, "--names", names)
    other = load_settings(assignments=["segments.min_s=1", "video.enabled=false"])
    analyse(clip, out, executor="local", settings=other)
    assert load(out, "people").name.tolist() == ["Anna"]
    assert "<b>Anna</b>" in (result.folder / "report.html").read_text()
    study = json.loads((out / "study.json").read_text())
    study["analysed"][clip.name] = "2020-01-01T00:00:00+00:00"
    (out / "study.json").write_text(json.dumps(study))
    analyse(clip, out, executor="local", settings=settings)
    assert load(out, "people").name.isna().all()
    assert "<b>Person 1</b>" in (result.folder / "report.html").read_text()


def test_segments_and_files_are_made_with_other_settings(out: Path) -> None:
    random = np.random.default_rng(0)
    make_result(
        out, "c.mp4", MadeVideo({1: MadeFace(wandering(random, 500, "sad", 0))}, times_s(20))
    )
    segments = out / "c.mp4" / "segments.csv"
    many = len(rows(segments))
    export(out, "--set", "segments.min_s=4", "--formats", "png,parquet")
    assert 1 < len(rows(segments)) < many
    assert rows(out / "people.csv")[-1]["changes"] == str(len(rows(segments)) - 1)
    assert summary(out / "c.mp4")["settings"]["segments"]["min_s"] == 4
    for video in ("a.mp4", "b.mp4", "c.mp4"):
        assert {"timeline.png", "timeline.parquet"} <= set(summary(out / video)["files"])
    export(out, "--bins", 1)
    assert len(rows(segments)) < many


def test_segments_corrected_in_elan_come_back(out: Path, tmp_path: Path) -> None:
    export(out, "--formats", "eaf,vtt")
    exported = pympi.Eaf(str(out / "a.mp4" / "timeline.eaf"))
    tier = exported.tiers["Person 1"][0]
    (only,) = exported.get_annotation_data_for_tier("Person 1")
    exported.remove_annotation("Person 1", only[0] + 1)
    exported.add_annotation("Person 1", 0, 1000, "sad")
    exported.add_annotation("Person 1", 1000, 1800, "surprise")
    exported.add_annotation("Person 1", 1800, 2400, "unclear")
    exported.add_linked_file("file:///videos/a.mp4", mimetype="video/mp4")
    exported.add_tier("notes")
    exported.add_annotation("notes", 0, 100, "she looks away")
    corrected = tmp_path / "corrected.eaf"
    exported.to_file(str(corrected))
    assert len(tier) == 3
    export(out, "--eaf", corrected)
    segments = [row for row in rows(out / "a.mp4" / "segments.csv") if row["track"] == "1"]
    assert [(row["emotion"], row["start_s"], row["end_s"]) for row in segments] == [
        ("sad", "0.000000", "1.000000"),
        ("surprise", "1.000000", "1.800000"),
        ("unclear", "1.800000", "2.400000"),
    ]
    assert [row["confidence"] for row in segments] == ["0.0500", "0.0500", "0.7000"]
    person = rows(out / "people.csv")[0]
    assert float(person["share_sad"]) == pytest.approx(1 / 1.8, abs=1e-4)
    assert float(person["share_surprise"]) == pytest.approx(0.8 / 1.8, abs=1e-4)
    assert (person["share_happy"], person["mean_happy"], person["changes"]) == ("0.0", "0.7", "2")
    assert [row["segments"] for row in rows(out / "videos.csv")] == ["by hand", "by the program"]
    noted = summary(out / "a.mp4")["by_hand"]
    assert (noted["file"], noted["tiers"]["Person 1"]) == ("corrected.eaf", 1)
    assert "corrected by hand, in corrected.eaf" in (out / "a.mp4" / "report.html").read_text()
    assert "surprise 5%" in (out / "a.mp4" / "timeline.vtt").read_text()


def test_corrections_stay_when_segments_are_made_again(out: Path, names: Path) -> None:
    export(out, "--formats", "eaf")
    file = out / "a.mp4" / "timeline.eaf"
    changed = file.read_text().replace(">happy<", ">fear<")
    assert changed.count(">fear<") > file.read_text().count(">fear<")
    file.write_text(changed)  # Where it lies, as a user of ELAN would save it.
    export(out, "--eaf", file, "--names", names)
    assert summary(out / "a.mp4")["people"][0]["shares"]["fear"] == 1
    export(out, "--names", names, "--set", "segments.min_s=0")
    segments = rows(out / "a.mp4" / "segments.csv")
    assert [(row["track"], row["emotion"]) for row in segments] == [("1", "fear"), ("1", "neutral")]
    assert (out / "a.mp4" / "by_hand.eaf").read_text() == changed


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (">happy<", ">hapy<", "'hapy' is no expression, did you mean 'happy'?"),
        ('TIER_ID="Person 3"', 'TIER_ID="Person 8"', "has Person 1, Person 2, Person 3; rename"),
        ("<ANNOTATION_DOCUMENT", "<DOCUMENT", "not a file of ELAN"),
    ],
)
def test_wrong_correction_is_answered(out: Path, old: str, new: str, message: str) -> None:
    export(out, "--formats", "eaf")
    file = out / "a.mp4" / "timeline.eaf"
    file.write_text(file.read_text().replace(old, new))
    before = (out / "a.mp4" / "summary.json").read_text()
    outcome = run("export", out, "--eaf", file)
    assert outcome.returncode == 2
    assert message in outcome.stderr
    assert (out / "a.mp4" / "summary.json").read_text() == before
    assert not (out / "a.mp4" / "by_hand.eaf").exists()


def test_correction_of_no_video_is_answered(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.eaf"
    pympi.Eaf(author="me").to_file(str(file))
    outcome = run("export", out, "--eaf", file)
    assert outcome.returncode == 2
    assert "it names no video of this output folder; put it into the video's folder" in (
        outcome.stderr
    )


def test_gap_of_a_live_stream_is_time_in_which_nobody_is_seen(out: Path) -> None:
    times = np.concatenate([np.arange(50) / RATE, 6 + np.arange(50) / RATE])
    live = {"gaps": [{"from_s": 1.96}]}
    make_result(out, "camera", MadeVideo({1: constant(HAPPY, 100)}, times, live=live))
    export(out, "--bins", 2)
    bins = load(out, "bins")
    assert bins[bins.video == "camera"].seen_share.tolist() == [1, 0, 0, 1]


def test_film_of_one_frame_and_table_that_is_broken(out: Path) -> None:
    make_result(out, "still.mp4", MadeVideo({1: constant(SAD, 1)}, np.zeros(1)))
    (out / "b.mp4" / "timeline.csv").write_text("frame,time_s\nx")
    outcome = run("export", out, "--bins", 1)
    assert outcome.returncode == 1
    assert "b.mp4/timeline.csv: not a table that can be read" in outcome.stderr
    still = load(out, "bins").iloc[-1]
    assert (still.video, still.seen_share, still.mean_sad) == ("still.mp4", 1, pytest.approx(0.7))
    assert EMOTIONS[0] in still.index[6]
