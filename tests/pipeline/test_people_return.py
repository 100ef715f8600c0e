"""Person ids after a cut or an absence, in real videos."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.command import run, timeline
from tests.stages.clips import join_clips

Moment = tuple[int, float, float]
"""A frame, and where in it a face is: pixels from the left and from the top."""


@pytest.fixture(scope="module")
def film(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people in turn, a second each: A, B, nobody, A, B."""
    names = ("WolfgangLanger_Pexels", "single_face", "no_face", "WolfgangLanger_Pexels")
    clips = [samples[f"{name}.mp4"] for name in (*names, "single_face")]
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return join_clips(path, *clips, size=(640, 360), frames=25)


@pytest.mark.parametrize(("remember_s", "expected"), [(3600, "12-12"), (0, "12-34")])
def test_faces_that_return_have_their_old_id(
    film: Path, tmp_path: Path, remember_s: int, expected: str
) -> None:
    options = ("--executor", "local", "--no-video", "--set", f"track.remember_s={remember_s}")
    assert run("run", film, "-o", tmp_path, *options).returncode == 0
    middles = [25 * second + 12 for second in range(5)]
    shown = {int(row["frame"]): row["track"] for row in timeline(tmp_path / film.name)}
    assert "".join(shown[frame] or "-" for frame in middles) == expected


@pytest.mark.parametrize(
    ("clip", "people"),
    [
        (
            "stage_cuts_360p.mp4",
            [[(10, 543, 70), (100, 245, 126), (200, 304, 73)], [(10, 65, 202)]],
        ),
        (
            "street_crowd_1080p.mp4",
            [
                [(10, 1118, 660), (22, 1120, 670), (80, 1138, 690), (100, 1140, 690)],
                [(10, 927, 668), (22, 946, 685), (100, 934, 705)],
                [(80, 1203, 685), (100, 1206, 715)],
                [(10, 965, 680), (22, 1023, 703), (80, 850, 700), (100, 790, 720)],
                [(10, 499, 640), (22, 509, 667)],
                [(80, 1442, 704)],
            ],
        ),
    ],
)
def test_person_ids_as_a_human_assigns_them(
    further_clips: Path, tmp_path: Path, clip: str, people: list[list[Moment]]
) -> None:
    path = further_clips / clip
    assert run("run", path, "-o", tmp_path, "--executor", "local", "--no-video").returncode == 0
    rows = timeline(tmp_path / clip)
    ids = [{track_at(rows, *moment) for moment in moments} for moments in people]
    assert all(len(own) == 1 for own in ids), ids
    assert len(set.union(*ids)) == len(people), ids


def track_at(rows: list[dict[str, str]], frame: int, x: float, y: float) -> str:
    """The person id of the face with this point inside."""
    found = [
        row["track"]
        for row in rows
        if int(row["frame"]) == frame
        and 0 <= x - float(row["x"] or "inf") <= float(row["width"] or 0)
        and 0 <= y - float(row["y"]) <= float(row["height"])
    ]
    assert len(found) == 1, (frame, x, y, found)
    return found[0]
