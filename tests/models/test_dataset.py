"""FER-2013 is read as its users have it, and what is wrong with it is named."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from configs.errors import DatasetError
from models.augment import label_distributions
from models.dataset import CSV_LABELS, load_folder, load_split, load_training_data
from models.emotions import EMOTIONS
from models.recipe import RECIPES
from tests.models.test_votes import write_votes


def write_faces(folder: Path, names: tuple[str, ...] = EMOTIONS, size: int = 48) -> None:
    """One face for each emotion, as bright as its place in the list."""
    for brightness, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        cv2.imwrite(str(folder / name / "a.png"), np.full((size, size), brightness, np.uint8))


@pytest.mark.parametrize("below", [".", "images"])
def test_folders_of_emotions(tmp_path: Path, below: str) -> None:
    write_faces(tmp_path / below / "train")
    faces = load_split(tmp_path, "train")
    assert faces.images.shape == (7, 48, 48)
    assert faces.images.dtype == np.uint8
    assert (faces.images[:, 0, 0] == faces.labels).all()
    assert faces.files[3] == str(Path("happy/a.png"))


def test_original_csv_has_its_own_order_of_labels(tmp_path: Path) -> None:
    pixels = " ".join(["7"] * 48 * 48)
    rows = [f"{number},{pixels},Training" for number in range(7)]
    rows += [f"3,{pixels},PublicTest", f"9,{pixels},PublicTest", "3,1 2 3,PublicTest"]
    file = tmp_path / "fer2013.csv"
    file.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    faces = load_split(file, "train")
    assert [EMOTIONS[label] for label in faces.labels] == list(CSV_LABELS)
    validation = load_split(file, "validation")
    assert [EMOTIONS[label] for label in validation.labels] == ["happy"]
    assert [line.split(":")[0] for line in validation.skipped] == ["line 10", "line 11"]


def test_larger_pictures_are_reduced(tmp_path: Path) -> None:
    write_faces(tmp_path, size=96)
    assert load_folder(tmp_path).images.shape == (7, 48, 48)


def test_unreadable_picture_is_skipped_and_named(tmp_path: Path) -> None:
    write_faces(tmp_path)
    (tmp_path / "sad" / "broken.jpg").write_text("not a picture")
    faces = load_folder(tmp_path)
    assert len(faces) == 7
    assert faces.skipped == (f"{Path('sad/broken.jpg')}: not a readable image",)


def test_missing_class_is_refused_in_a_split_only(tmp_path: Path) -> None:
    write_faces(tmp_path / "train", EMOTIONS[:-1])
    with pytest.raises(DatasetError, match="no folder surprise"):
        load_split(tmp_path, "train")
    assert len(load_folder(tmp_path / "train")) == 6


@pytest.mark.parametrize("content", [None, "a,b\n1,2\n"])
def test_what_is_no_data_set_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "fer2013.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(DatasetError, match=r"fer2013\.csv"):
        load_split(file, "train")
    with pytest.raises(DatasetError):
        load_split(tmp_path, "train")


def spoilt_data_set(folder: Path) -> Path:
    """A face each, one twin across the splits, one of another size, one unreadable."""
    write_faces(folder / "train")
    write_faces(folder / "validation")
    for label, name in enumerate(EMOTIONS):
        face = np.full((48, 48), 100 + label, np.uint8)
        cv2.imwrite(str(folder / "validation" / name / "a.png"), face)
    twin = np.full((48, 48), 103, np.uint8)
    cv2.imwrite(str(folder / "train" / "happy" / "twin.png"), twin)
    cv2.imwrite(str(folder / "train" / "fear" / "large.png"), np.zeros((64, 50), np.uint8))
    (folder / "train" / "sad" / "broken.jpg").write_text("not a picture")
    return folder


def test_bad_training_data_is_left_out_and_named(tmp_path: Path) -> None:
    data = load_training_data(spoilt_data_set(tmp_path), "skip")
    assert (len(data.faces), len(data.validation)) == (7, 7)
    assert data.faces.skipped == (
        "fear/large.png: 50x64, expected 48x48",
        "sad/broken.jpg: not a readable image",
        "happy/twin.png: the same image as happy/a.png of the validation split",
    )


def test_bad_training_data_is_refused_if_so_set(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"3 images cannot be used.*large\.png"):
        load_training_data(spoilt_data_set(tmp_path), "refuse")


def test_faces_are_judged_by_what_most_people_see(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "validation")):
        write_faces(tmp_path / split)
        for label, name in enumerate(EMOTIONS):
            face = np.full((48, 48), 10 * label + number, np.uint8)
            cv2.imwrite(str(tmp_path / split / name / "a.png"), face)
    write_votes(
        tmp_path,
        **{
            "train/angry/a.png": "8,0,0,0,2,0,0,0,0,0",
            "train/fear/a.png": "1,0,0,0,0,0,0,0,9,0",
            "validation/angry/a.png": "8,0,0,0,2,0,0,0,0,0",
            "validation/sad/a.png": "0,0,0,4,0,0,0,6,0,0",
        },
    )
    data = load_training_data(tmp_path, "refuse")
    assert data.votes is not None
    assert "fear/a.png" not in data.faces.files
    assert len(data.faces) == len(data.votes) == 6
    assert data.validation.files == ("angry/a.png",)
    assert data.validation.labels.tolist() == [EMOTIONS.index("neutral")]
    assert any(line.startswith("sad/a.png: most people") for line in data.validation.skipped)
    targets = label_distributions(data, replace(RECIPES["residual"], votes_share=0.5))
    angry, neutral = EMOTIONS.index("angry"), EMOTIONS.index("neutral")
    np.testing.assert_allclose(targets[0, [angry, neutral]], [0.6, 0.4], atol=1e-6)
    assert (targets[1:].max(axis=1) == 1).all()  # without votes, FER-2013's label counts alone
