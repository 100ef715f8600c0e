"""Person ids where one face takes the place of another: framed alike, before one background."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pipeline.command import run, summary, timeline
from tests.stages.clips import Placed, face_squares, film_of_pictures

SQUARE_PX = 110
"""So small a part of the picture that no cut is seen when it changes."""

Squares = dict[str, list[np.ndarray]]


@pytest.fixture(scope="module")
def squares(samples: dict[str, Path]) -> Squares:
    """Pictures of two people, A and B."""
    clips = {"A": "single_face.mp4", "B": "WolfgangLanger_Pexels.mp4"}
    return {who: face_squares(samples[clip], 40, SQUARE_PX) for who, clip in clips.items()}


def in_turn(squares: Squares, *parts: tuple[str, int]) -> list[list[Placed]]:
    """Who is in the middle of the picture, and for how many frames; ``-`` is nobody."""
    return [
        [] if who == "-" else [(squares[who][index % 40], 260, 90)]
        for who, count in parts
        for index in range(count)
    ]


def people_in(film: Path, out: Path) -> str:
    """The person ids of a film of one face at a time, ``1-2`` for 1, then nobody, then 2."""
    assert run("run", film, "-o", out, "--executor", "local", "--no-video").returncode == 0
    ids = [row["track"] or "-" for row in timeline(out / film.name)]
    return "".join(person for person, _ in groupby(ids))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((("A", 30), ("B", 30), ("A", 30)), "121"),
        ((("B", 30), ("A", 30)), "12"),
        ((("A", 40), ("-", 12), ("B", 40)), "1-2"),
        ((("A", 40), ("-", 12), ("A", 40)), "1-1"),
        ((("A", 40), ("B", 15), ("A", 15), ("B", 15), ("A", 15)), "12121"),
    ],
    ids=["cut", "cut the other way", "another sits down", "the same comes back", "fast cuts"],
)
def test_one_number_is_one_person(
    squares: Squares, tmp_path: Path, parts: tuple[tuple[str, int], ...], expected: str
) -> None:
    film = film_of_pictures(tmp_path / "film.mp4", in_turn(squares, *parts))
    assert people_in(film, tmp_path / "out") == expected


@pytest.mark.parametrize("interval_s", [1.001, 2.0, 10.0])
def test_slides_keep_every_face_and_tell_people_apart(
    squares: Squares, tmp_path: Path, interval_s: float
) -> None:
    frames = in_turn(squares, ("A", 10), ("B", 10), ("A", 5))
    film = film_of_pictures(tmp_path / "slides.mp4", frames, interval_s)
    assert people_in(film, tmp_path / "out") == "121"
    facts = summary(tmp_path / "out" / film.name)
    assert (facts["faces"], facts["warnings"]) == (25, [])
    assert [person["face_s"] for person in facts["people"]] == pytest.approx(
        [15 * interval_s, 10 * interval_s]
    )


def test_a_summary_says_if_all_faces_were_left_out(squares: Squares, tmp_path: Path) -> None:
    film = film_of_pictures(tmp_path / "film.mp4", in_turn(squares, ("-", 30), ("A", 3), ("-", 30)))
    assert people_in(film, tmp_path / "out") == "-"
    (warning,) = summary(tmp_path / "out" / film.name)["warnings"]
    assert "track.min_s" in warning
    assert "track.min_s" in (tmp_path / "out" / film.name / "report.html").read_text()


@pytest.mark.parametrize("flashes", [(20,), (20, 21), (31,), (15,), (20, 22, 24, 26)])
def test_a_flash_gives_small_faces_no_new_numbers(
    squares: Squares, tmp_path: Path, flashes: tuple[int, ...]
) -> None:
    """Of about 18 pixels, too small for descriptors; also where a flash begins or ends a batch."""
    places = [(60 + 140 * number, 60 + 50 * (number % 3)) for number in range(4)]
    there_and_back = [*range(40), *range(38, 0, -1)]
    frames: list[list[Placed]] = [
        [
            (cv2.resize(squares["A"][there_and_back[index + 9 * number]], (44, 44)), *place)
            for number, place in enumerate(places)
        ]
        for index in range(50)
    ]
    film = film_of_pictures(tmp_path / "film.mp4", frames, flashes=flashes)
    out = tmp_path / "out"
    assert run("run", film, "-o", out, "--executor", "local", "--no-video").returncode == 0
    ids: list[set[str]] = [set() for _ in places]
    for row in timeline(out / film.name):
        if row["track"]:
            ids[round((float(row["x"]) - 73) / 140)].add(row["track"])
    assert [len(own) for own in ids] == [1] * 4, ids
