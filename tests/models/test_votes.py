"""FER+'s votes go with their images."""

from pathlib import Path

import numpy as np
import pytest

from configs.errors import DatasetError
from models.votes import load_votes


def test_votes_go_with_their_images(tmp_path: Path) -> None:
    (tmp_path / "ferplus_votes.csv").write_text(
        "file,neutral,happy,unknown\ntrain/sad/b.png,1,0,1\ntrain/happy/a.png,0,10,0\n"
    )
    votes = load_votes(tmp_path, "train", ("happy/a.png", "angry/c.png", "sad/b.png"))
    np.testing.assert_allclose(votes, [[0, 1, 0], [0, 0, 0], [0.5, 0, 0.5]])


def test_data_set_without_votes_has_none(tmp_path: Path) -> None:
    assert load_votes(tmp_path, "train", ("a.png",)) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "expected the column file"),
        ("file,happy\ntrain/a.png,many\n", "not a table of counts"),
        ("file,happy\ntrain/b.png,3\n", "none of the 1 images"),
    ],
)
def test_votes_that_do_not_fit_are_refused(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "ferplus_votes.csv").write_text(content)
    with pytest.raises(DatasetError, match=problem):
        load_votes(tmp_path, "train", ("a.png",))
