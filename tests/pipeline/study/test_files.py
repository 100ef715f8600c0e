"""Wrong files are answered with the line and the remedy, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.command import file_names, run
from tests.pipeline.study.made import MadeFace, MadeVideo, make_result, probabilities, times_s

HAPPY = probabilities(happy=0.8)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("files") / "out"
    face = MadeFace(HAPPY.repeat(50).reshape(7, 50).T)
    for name in ("anna.mp4", "ben.mp4"):
        make_result(out, name, MadeVideo({1: face, 2: face}, times_s(2)))
    (out / ".lock").touch()
    return out


EVENTS, PEOPLE, NAMES = (
    "video,event,start_s,end_s",
    "video\tparticipant\tcondition",
    "video,track,name",
)

WRONG = {
    "a missing column": (
        "events", "video,event,start,end_s\nanna.mp4,a,0,1\n",
        ["line 1: no column 'start_s', did you mean 'start'?; it needs video, event, start_s,"],
    ),
    "an unknown video": (
        "events", f"{EVENTS}\n\nana.mp4,a,0,1\n",
        ["line 3: video is 'ana.mp4', which is no video in the output folder, did you mean 'anna"],
    ),
    "overlapping times": (
        "events", f"{EVENTS}\nanna.mp4,a,1,2\nben.mp4,b,0,1.5\nanna.mp4,c,0.5,1.25\n",
        ["line 4: the event, 0.5 to 1.25 s, overlaps that of line 2, 1 to 2 s; correct the times"],
    ),
    "an event outside of the video": (
        "events", f"{EVENTS}\nanna.mp4,a,30,40\n",
        ["line 2: the event is at 30 to 40 s, anna.mp4 is analysed from 0 to 1.96 s; correct"],
    ),
    "times that are none": (
        "events", f"{EVENTS}\nanna.mp4,a,1,\nanna.mp4,,half,1.5\nben.mp4,a,1,0.5\n",
        ["line 2: end_s is ''; give a number", "line 3: no event", "line 3: start_s is 'half'",
         "line 4: end_s is not after start_s (1 to 0.5 s); exchange"],
    ),
    "a line that is too short": (
        "events", f"{EVENTS}\nanna.mp4,a,1\n", ["line 2: 3 cells, the header has 4"],
    ),
    "a column of ours": (
        "events", f"{EVENTS},mean_happy\nanna.mp4,a,0,1,x\n",
        ["line 1: the column 'mean_happy' is one of the program's own; rename it"],
    ),
    "a quotation mark that is left open": (
        "events", f'{EVENTS}\nanna.mp4,"a,0,1\n', ["line 2: not CSV", "close every quotation mark"],
    ),
    "a participant without a condition": (
        "participants", f"{PEOPLE}\nanna.mp4\tp1\tA\nben.mp4\tp2\tn/a\n",
        ["line 3: no condition; give one or take the line out"],
    ),
    "a video told twice": (
        "participants", f"{PEOPLE}\nanna.mp4\tp1\tA\nanna.mp4\tp2\tB\n",
        ["line 3: video 'anna.mp4' is in line 2 as well; take one of them out"],
    ),
    "a track that there is not": (
        "names", f"{NAMES}\nanna.mp4,1,Anna\nanna.mp4,7,Bea\n",
        ["line 3: anna.mp4 has no track '7', it has 1, 2; correct it"],
    ),
    "an empty file": ("names", "", ["line 1: no column 'video'"]),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_file_is_answered_with_line_and_remedy(out: Path, tmp_path: Path, case: str) -> None:
    option, text, problems = WRONG[case]
    file, before = tmp_path / "told.csv", file_names(out)
    file.write_text(text)
    outcome = run("export", out, "--bins", 1, f"--{option}", file)
    assert outcome.returncode == 2
    assert outcome.stderr.startswith(f"error: {file}: line ")
    for problem in problems:
        assert problem in outcome.stderr
    assert file_names(out) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--baseline", "neutral"], "--baseline EVENT needs --events FILE"),
        (["--synchrony"], "--synchrony needs --bins SECONDS"),
        (["--set", "detect.width_px=960"], "export analyses nothing"),
        (["--formats", "pdf"], "'pdf' is wrong"),
        (["--names", "nosuch.csv"], "nosuch.csv: cannot be read: No such file"),
        (["--names-template", __file__], "exists; name another file"),
    ],
)
def test_wrong_option_is_answered(out: Path, options: list[str], message: str) -> None:
    outcome = run("export", out, *options)
    assert outcome.returncode == 2
    assert message in outcome.stderr


def test_event_that_no_file_has_is_answered(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(f"{EVENTS}\nanna.mp4,neutral,0,1\n")
    outcome = run("export", out, "--events", file, "--baseline", "Neutral")
    assert outcome.returncode == 2
    assert "no such event, did you mean 'neutral'?; events: neutral" in outcome.stderr


def test_folder_without_results_is_answered(tmp_path: Path) -> None:
    assert "no such folder" in run("export", tmp_path / "nosuch").stderr
    assert "no results in it" in run("export", tmp_path).stderr


def test_tables_of_spreadsheets_are_read(out: Path, tmp_path: Path) -> None:
    """A byte-order mark, semicolons, decimal commas, and lines that end as on Windows."""
    file = tmp_path / "events.csv"
    file.write_bytes(b"\xef\xbb\xbf" + f"{EVENTS};note\r\nben.mp4;a;0,5;1,5;\"x; y\"\r\n".replace(
        ",event,start_s,end_s", ";event;start_s;end_s").encode())  # fmt: skip
    assert run("export", out, "--events", file).returncode == 0
    lines = (out / "events.csv").read_text().splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("ben.mp4,a,0.5,1.5,1,")
    assert lines[1].endswith(",x; y")
