"""FER+'s votes go with their images."""

from pathlib import Path

import numpy as np
import pytest

from configs.errors import DatasetError
from models.emotions import EMOTIONS
from models.votes import load_votes

HEADER = "file,neutral,happy,surprise,sad,angry,disgust,fear,contempt,unknown,not_a_face\n"


def write_votes(folder: Path, **votes: str) -> None:
    """Votes by the path of an image, in the order of ``HEADER``."""
    rows = "".join(f"{name},{counts}\n" for name, counts in votes.items())
    (folder / "ferplus_votes.csv").write_text(HEADER + rows)


def test_votes_go_with_their_images(tmp_path: Path) -> None:
    write_votes(
        tmp_path,
        **{
            "train/sad/b.png": "2,0,0,6,0,0,0,1,1,0",
            "train/happy/a.png": "0,10,0,0,0,0,0,0,0,0",
            "train/fear/d.png": "2,0,0,0,0,0,3,5,0,0",
        },
    )
    votes = load_votes(tmp_path, "train", ("happy/a.png", "angry/c.png", "sad/b.png", "fear/d.png"))
    assert votes is not None
    neutral, happy, sad = (EMOTIONS.index(name) for name in ("neutral", "happy", "sad"))
    assert votes.shares[0, happy] == 1
    assert not votes.shares[1].any()
    np.testing.assert_allclose(votes.shares[2, [neutral, sad]], [0.25, 0.75])
    assert votes.unnamed.tolist() == [False, False, False, True]
    assert votes.majority.tolist() == [happy, -1, sad, -1]


def test_papers_drop_single_votes_and_want_more_than_half_of_the_rest(tmp_path: Path) -> None:
    rows = {
        "most": "4,1,1,3,1,0,0,0,0,0",  # Seven are left, four of them neutral.
        "half": "0,4,0,4,1,1,0,0,0,0",
        "unknown": "0,0,0,4,0,0,0,0,5,0",
        "nobody": "1,1,1,1,1,1,1,1,1,1",
        "against": "0,5,0,0,0,0,0,2,3,0",  # Unknown counts among the rest: five of ten.
    }
    write_votes(tmp_path, **{f"train/{name}": counts for name, counts in rows.items()})
    votes = load_votes(tmp_path, "train", (*rows, "absent"))
    assert votes is not None
    neutral, happy = EMOTIONS.index("neutral"), EMOTIONS.index("happy")
    assert votes.majority_of_papers.tolist() == [neutral, -1, -1, -1, -1, -1]
    assert votes.majority[[0, 1]].tolist() == [neutral, happy]


def test_halves_of_the_people_agree_as_often_as_can_be_worked_out(tmp_path: Path) -> None:
    def agreement(counts: str) -> float:
        write_votes(tmp_path, **{f"train/{n}": counts for n in range(100)})
        votes = load_votes(tmp_path, "train", [str(n) for n in range(100)])
        assert votes is not None
        return votes.agreement_of_halves()

    assert agreement("10,0,0,0,0,0,0,0,0,0") == 1
    # One is left out: of the others, both say the same in one of three cases.
    assert agreement("2,1,0,0,0,0,0,0,0,0") == pytest.approx(1 / 3, abs=0.05)


def test_data_set_without_votes_has_none(tmp_path: Path) -> None:
    assert load_votes(tmp_path, "train", ("a.png",)) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "expected the column file"),
        ("file,happy\ntrain/a.png,3\n", "missing: angry"),
        (f"{HEADER}train/a.png,many\n", "not a table of counts"),
        (f"{HEADER}train/b.png,3,0,0,0,0,0,0,0,0,0\n", "none of the 1 images"),
    ],
)
def test_votes_that_do_not_fit_are_refused(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "ferplus_votes.csv").write_text(content)
    with pytest.raises(DatasetError, match=problem):
        load_votes(tmp_path, "train", ("a.png",))
