"""A made study of 30 videos goes through ``export``, and its every figure is worked out again."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from configs.errors import SourceError, UsageError
from models.emotions import EMOTIONS, TYPICAL_NEUTRAL
from pipeline import load
from tests.pipeline.command import run
from tests.pipeline.study import oracle
from tests.pipeline.study.made import MadeFace, MadeVideo, make_result, times_s, wandering
from tests.pipeline.study.oracle import MEASURES, Row

VIDEOS, SECONDS, BIN_S = 30, 6, 0.5
NOBODY_IN, WITHOUT_NEUTRAL = "s29.mp4", "s28.mp4"
EVENTS = {"neutral": (0.3, 1.43), "film": (1.5, 4.0), "talk": (4.0, 5.91)}
FURTHER = ("au12", "arousal")
"""Columns of a network, in all videos but these."""
WITHOUT_NETWORK = (26, 27)
OFFSET_S = 0.25
"""Of every third video, whose events are told on a clock that is behind."""

TOLERANCE = 2e-6
"""Tables have six digits."""


def name_of(number: int) -> str:
    return f"s{number:02d}.mp4"


def make_study(folder: Path) -> Path:
    """Thirty results in ``out``, and the files of a user beside it.

    The participant is track 1, and track 2 after a cut; track 3 asks the questions.
    """
    out = folder / "out"
    random = np.random.default_rng(3)
    events = [("video", "event", "start_s", "end_s", "offset_s", "order")]
    participants = [("video", "participant", "condition", "age")]
    names = [("video", "track", "name", "note")]
    for number in range(VIDEOS):
        name, frames = name_of(number), SECONDS * 25
        time_s = times_s(SECONDS)
        if number % 5 == 1:  # A variable frame rate.
            time_s = np.concatenate([[0], np.cumsum(random.uniform(0.02, 0.06, frames - 1))])
            time_s = np.round(time_s, 6)
        first = np.arange(frames) < 110
        first[40:66] = False
        usable = random.random(frames) < 0.8
        if name == WITHOUT_NEUTRAL:
            usable[time_s < 2] = False
        lean = wandering(random, frames, "happy" if number % 2 else "sad", 1.0 + number % 3)
        outputs = {} if number in WITHOUT_NETWORK else {
            name: random.normal(0, 3, frames) for name in FURTHER
        }  # fmt: skip
        faces = {
            1: MadeFace(lean, seen=first, usable=usable, outputs=outputs),
            2: MadeFace(lean, seen=np.arange(frames) >= 110, usable=usable, outputs=outputs),
            3: MadeFace(wandering(random, frames, "neutral", 2.0), outputs=outputs),
        }
        make_result(out, name, MadeVideo({} if name == NOBODY_IN else faces, time_s))
        behind_s = OFFSET_S if number % 3 == 0 else 0.0
        for order, (event, (start_s, end_s)) in enumerate(EVENTS.items(), 1):
            events.append(
                (name, event, start_s - behind_s, end_s - behind_s, behind_s or "", order)
            )
        participants.append((name, f"p{number // 2 % 12}", "AB"[number % 2], 20 + number))
        if name != NOBODY_IN:
            names += [
                (name, 1, f"P{number}", ""),
                (name, 2, f"P{number}", ""),
                (name, 3, "", "asks"),
            ]
    files = {"events.csv": (events, ","), "participants.tsv": (participants, "\t"),
             "names.csv": (names, ";")}  # fmt: skip
    for file, (rows, separator) in files.items():
        with (folder / file).open("w", newline="") as lines:
            csv.writer(lines, delimiter=separator).writerows(rows)
    return out


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = make_study(tmp_path_factory.mktemp("study"))
    files = {
        f"--{kind}": out.parent / file
        for kind, file in (("events", "events.csv"), ("participants", "participants.tsv"),
                           ("names", "names.csv"))
    }  # fmt: skip
    options = [word for option in files.items() for word in option]
    outcome = run("export", out, "--bins", BIN_S, *options, "--baseline", "neutral")
    assert outcome.returncode == 0, outcome.stderr
    assert f"P{WITHOUT_NEUTRAL[1:3]}: no usable neutral face" in outcome.stderr
    return out


@pytest.fixture(scope="module")
def people(out: Path) -> dict[str, tuple[list[Row], float]]:
    """The rows of each participant, compared with the neutral face, and the length of the film."""
    found = {}
    for number in range(VIDEOS):
        table = out / name_of(number) / "timeline.csv"
        rows, film_s = oracle.rows_in(table, {1: 1, 2: 1}.get)
        if name_of(number) not in (NOBODY_IN, WITHOUT_NEUTRAL):
            own = oracle.neutral_logs(rows, *EVENTS["neutral"])
            for row in rows:
                oracle.compare(row, own, TYPICAL_NEUTRAL)
        found[name_of(number)] = rows, film_s
    return found


def check(row: pandas.Series, expected: dict[str, float], *kinds: str) -> None:
    """All figures of these kinds in a row of a table; empty where there are none."""
    columns = [name for name in row.index if name.startswith(kinds)]
    assert len(columns) >= len(MEASURES)
    for name in columns:
        wanted = expected.get(name, math.nan)
        assert row[name] == pytest.approx(wanted, abs=TOLERANCE, nan_ok=True), (row["video"], name)


def read(out: Path, name: str) -> pandas.DataFrame:
    return pandas.read_csv(out / name, dtype={"name": str, "track": "Int64"})


def test_bins_are_on_one_grid_and_empty_where_nobody_was_seen(
    out: Path, people: dict[str, Any]
) -> None:
    bins = read(out, "bins.csv")
    for video, (rows, film_s) in people.items():
        own = bins[bins.video == video]
        starts = [number * BIN_S for number in range(math.ceil(film_s / BIN_S - 1e-6))]
        assert own.start_s.tolist() == pytest.approx(starts)
        assert own.name.dropna().unique().tolist() == ([f"P{int(video[1:3])}"] if rows else [])
        assert own.track.dropna().unique().tolist() == ([1] if rows else [])
        for _, row in own.iterrows():
            expected = oracle.figures(rows, row.start_s, row.start_s + BIN_S, film_s)
            check(row, expected, "seen", "usable", "mean_", "max_", "baseline_")
    nobody = bins[bins.seen_share == 0]
    assert len(nobody) > 12 + 20
    assert nobody.filter(regex="^(mean|max|usable|baseline)_").isna().all(axis=None)


def test_events_have_figures_peaks_and_the_columns_of_the_user(
    out: Path, people: dict[str, Any]
) -> None:
    events = read(out, "events.csv")
    assert len(events) == VIDEOS * len(EVENTS)
    for _, row in events.iterrows():
        rows, film_s = people[row.video]
        assert (row.start_s, row.end_s) == pytest.approx(EVENTS[row.event])
        assert row.order == list(EVENTS).index(row.event) + 1
        assert row.age == 20 + int(row.video[1:3])
        expected = oracle.figures(rows, row.start_s, row.end_s, film_s)
        check(row, expected, "seen", "usable", "mean_", "max_", "peak_", "baseline_")


def test_people_are_one_for_each_name(out: Path, people: dict[str, Any]) -> None:
    table = read(out, "people.csv")
    assert table.video.tolist() == [name for name in people if name != NOBODY_IN]
    for _, row in table.iterrows():
        rows, _ = people[row.video]
        assert row["name"] == f"P{int(row.video[1:3])}"
        assert row.condition == "AB"[int(row.video[1:3]) % 2]
        assert (row.first_s, row.last_s) == (rows[0].start_s, rows[-1].start_s)
        assert row.face_s == pytest.approx(sum(r.until_s - r.start_s for r in rows), abs=1e-5)
        usable = [(r.until_s - r.start_s, r) for r in rows if r.usable]
        usable_s = sum(lasts for lasts, _ in usable)
        assert row.usable_share == pytest.approx(usable_s / row.face_s, abs=1e-4)
        shares = dict.fromkeys(EMOTIONS, 0.0)
        for lasts, face in usable:
            _, likeliest = max((face.values[name], name) for name in EMOTIONS)
            shares[likeliest] += lasts / usable_s
        for name in rows[0].values.keys() - {f"baseline_{name}" for name in MEASURES}:
            mean = sum(lasts * face.values[name] for lasts, face in usable) / usable_s
            assert row[f"mean_{name}"] == pytest.approx(mean, abs=1e-4)
        for name in EMOTIONS:
            assert row[f"share_{name}"] == pytest.approx(shares[name], abs=1e-4)
        check(row, oracle.figures(rows, 0, math.inf, math.inf), "baseline_")
        assert row.changes_per_min == pytest.approx(60 * row.changes / row.face_s, abs=1e-4)
        segments = read(out / row.video, "segments.csv")
        assert set(segments.track) == {1}
        after = segments[segments.start_s.isin(segments.end_s)]
        assert row.changes == len(after)


def test_videos_are_all_there(out: Path, people: dict[str, Any]) -> None:
    table = read(out, "videos.csv")
    assert table.video.tolist() == list(people)
    for _, row in table.iterrows():
        with (out / row.video / "timeline.csv").open(newline="") as lines:
            records = list(csv.DictReader(lines))
        frames = {record["frame"] for record in records}
        usable = {record["frame"] for record in records if record["usable"] == "1"}
        assert row.usable_share == pytest.approx(len(usable) / len(frames), abs=1e-4)
        assert (row.frames, row.people) == (len(frames), int(row.video != NOBODY_IN))
        assert (row.status, row.segments) == ("complete", "by the program")


def test_conditions_are_compared_by_participant(out: Path, people: dict[str, Any]) -> None:
    table = read(out, "conditions.csv").fillna({"event": ""}).set_index(
        ["condition", "event", "measure"]
    )  # fmt: skip
    stretches = {"": (0.0, math.inf), **EVENTS}
    parts: dict[tuple[str, str, str], dict[str, list[tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for number, (rows, film_s) in enumerate(people.values()):
        for event, (start_s, end_s) in stretches.items():
            found = oracle.figures(rows, start_s, end_s, film_s)
            for measure in [*MEASURES, *FURTHER, *(f"baseline_{name}" for name in MEASURES)]:
                value = found.get(measure if "_" in measure else f"mean_{measure}")
                if value is not None:
                    key = "AB"[number % 2], event, measure
                    participant = f"p{number // 2 % 12}"
                    parts[key][participant].append((found["usable_s"], value))
    assert set(table.index) == set(parts)
    for key, of_participants in parts.items():
        means = [
            sum(weight * value for weight, value in own) / sum(weight for weight, _ in own)
            for own in of_participants.values()
        ]
        error = np.std(means, ddof=1) / math.sqrt(len(means))
        assert table.loc[key, "mean"] == pytest.approx(np.mean(means), abs=TOLERANCE)
        assert table.loc[key, "se"] == pytest.approx(error, abs=TOLERANCE)
        assert table.loc[key, "n"] == len(means) == 12


def test_the_picture_has_its_text_as_text(out: Path) -> None:
    picture = (out / "conditions.svg").read_text()
    for word in ("A (n = 12)", "B (n = 12)", "whole videos", "film, by baseline", "valence"):
        assert f">{word}</text>" in picture
    assert (out / "conditions.png").read_bytes().startswith(b"\x89PNG")


def test_tables_have_codebooks_and_are_loaded_with_types(out: Path) -> None:
    for name in ("videos", "people", "bins", "events", "conditions"):
        table = load(out, name)
        meanings = json.loads((out / f"{name}.json").read_text())
        assert list(table) == list(meanings) == list(read(out, f"{name}.csv"))
        kinds = {"integer": "Int64", "number": "float64", "string": "string"}
        for column, meaning in meanings.items():
            assert table[column].dtype == kinds[meaning["Format"]], (name, column)
    assert load(out, "events").groupby("event")["mean_happy"].count().to_dict() == {
        event: VIDEOS - 1 - (event == "neutral") for event in EVENTS
    }


def test_videos_without_a_network_have_empty_cells_in_its_columns(out: Path) -> None:
    for table in ("bins", "events", "people"):
        rows = load(out, table)
        seen = rows["mean_happy"].notna()
        without = rows["video"].isin(map(name_of, WITHOUT_NETWORK))
        assert without.any()
        for name in FURTHER:
            assert (rows[f"mean_{name}"].notna() == (seen & ~without)).all()
    joined = load(out, "timeline")
    assert joined["au12"].dtype == "float32"
    assert joined.loc[joined["video"] == name_of(26), "au12"].isna().all()


def test_columns_of_networks_are_not_those_of_a_user(out: Path) -> None:
    events = out.parent / "clash.csv"
    events.write_text(f"video,event,start_s,end_s,peak_au12_s\n{name_of(0)},film,1,2,3\n")
    outcome = run("export", out, "--events", events)
    assert outcome.returncode == 2
    assert "'peak_au12_s' is one of the program's own; rename it" in outcome.stderr


def test_a_later_run_keeps_names_and_participants(out: Path) -> None:
    before = (out / "people.csv").read_text()
    (out.parent / "not a video.mp4").write_text("Dear diary")
    outcome = run("run", out.parent / "not a video.mp4", "-o", out, "--executor", "local")
    assert outcome.returncode == 1
    assert (out / "people.csv").read_text() == before
    videos = read(out, "videos.csv").set_index("video")
    assert videos.loc["not a video.mp4", "status"] == "failed"
    assert "not a video" in videos.loc["not a video.mp4", "reason"]
    assert math.isnan(videos.loc["not a video.mp4", "frames"])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two results, and tables of all kinds that ``export`` makes of them."""
    out, frames = tmp_path / "out", 100
    for number in range(2):
        face = MadeFace(wandering(np.random.default_rng(number), frames, "happy", 1.0))
        make_result(out, name_of(number), MadeVideo({1: face}, times_s(4)))
    (tmp_path / "events.csv").write_text("video,event,start_s,end_s\ns00.mp4,film,1,3\n")
    (tmp_path / "names.csv").write_text("video,track,name\ns00.mp4,1,Ann\n")
    (tmp_path / "people.tsv").write_text(
        "video\tparticipant\tcondition\ns00.mp4\tp1\tA\ns01.mp4\tp2\tB\n"
    )
    outcome = run(
        "export", out, "--bins", 1, "--events", tmp_path / "events.csv",
        "--participants", tmp_path / "people.tsv",
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    assert {"bins.csv", "events.csv", "conditions.csv", "conditions.png"} <= files_in(out)
    return out


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_tables_of_an_earlier_export_do_not_outlive_it(small: Path, tmp_path: Path) -> None:
    outcome = run("export", small, "--names", tmp_path / "names.csv", "--bins", 1)
    assert outcome.returncode == 0, outcome.stderr
    assert "removed events.csv, conditions.csv of an earlier export" in outcome.stderr
    assert set(load(small, "bins")["name"].dropna()) == {"Ann"}
    left = {name for name in files_in(small) if name.startswith(("events", "conditions"))}
    assert left == set()
    with pytest.raises(UsageError, match=r"events\.csv: no such file; the command export"):
        load(small, "events")


def test_tables_of_a_video_that_was_deleted_are_refused_and_removed(
    small: Path, tmp_path: Path
) -> None:
    shutil.rmtree(small / "s01.mp4")
    with pytest.raises(SourceError, match=r"bins\.csv: made before s01\.mp4 was analysed again"):
        load(small, "bins")
    (tmp_path / "not a video.mp4").write_text("Dear diary")
    outcome = run("run", tmp_path / "not a video.mp4", "-o", small, "--executor", "local")
    assert "removed bins.csv, events.csv, conditions.csv, made of results" in outcome.stderr
    assert not {"bins.csv", "bins.json", "conditions.svg"} & files_in(small)


def test_a_users_own_table_in_the_folder_stays(small: Path) -> None:
    (small / "synchrony.csv").write_text("mine\n")
    assert run("export", small).returncode == 0
    assert (small / "synchrony.csv").read_text() == "mine\n"


def test_the_folder_of_one_video_is_no_output_folder(small: Path) -> None:
    outcome = run("export", small / "s00.mp4", "--bins", 1)
    assert outcome.returncode == 2
    assert f"the results of one video; give the folder above: {small}" in outcome.stderr.replace(
        "\n", " "
    )
    assert "bins.csv" not in files_in(small / "s00.mp4")
