"""FER+'s votes go with their images, and tell what FER-2013's labels should be."""

from pathlib import Path

import numpy as np
import pytest

from configs.errors import DatasetError
from models.emotions import EMOTIONS
from models.votes import labels_by_votes, load_votes


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


def test_votes_tell_which_label_is_likely() -> None:
    happy, neutral, sad = (EMOTIONS.index(name) for name in ("happy", "neutral", "sad"))
    smile, blank, nothing = [1.0, 0.0], [0.1, 0.9], [0.0, 0.0]
    # Nine smiles are labelled happy and one, by mistake, sad; blank faces are neutral or sad.
    votes = np.array([smile] * 10 + [blank] * 10 + [nothing], np.float32)
    labels = np.array([happy] * 9 + [sad] + [neutral] * 6 + [sad] * 4 + [happy])
    implied = labels_by_votes(votes, labels)
    np.testing.assert_allclose(implied.sum(axis=1), 1, rtol=1e-6)
    assert implied[9].argmax() == happy
    assert implied[9, happy] == implied[0, happy] > 0.7
    assert implied[10].argmax() == neutral
    assert implied[10, sad] > 0.2
    assert implied[20, happy] == 1
