"""Read FER-2013: folders of images by expression, or the original ``fer2013.csv``.

Goodfellow et al., "Challenges in representation learning", ICONIP 2013: 48x48 grey faces, seven
labels. Training, public test (here: validation) and private test are its splits.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from configs.errors import DatasetError
from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.recipe import BadData
from models.votes import load_votes

CutFace = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From a picture of one face, (h, w) uint8 grey or (h, w, 3) BGR, to the network's input, such as
(48, 48) uint8, and the five landmarks, (5, 2) x and y in pixels of the picture, NaN if no face is
found."""

NO_LANDMARKS = np.full((5, 2), np.nan)

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png"}

NOT_NAMED = "most people see none of the seven expressions in it"

CSV_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Meaning of the numbers 0 to 6 in ``fer2013.csv``, which are not alphabetical."""

CSV_SPLITS = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}


@dataclass(frozen=True)
class LabelledFaces:
    """Faces and their labels, column-wise.

    Attributes:
        images: (n, 48, 48) uint8, grey; of another shape if they are cut for another network.
        labels: (n,) int64, indices into ``EMOTIONS``.
        files: n names, relative to the data set.
        landmarks: (n, 5, 2), x and y in pixels of the picture, NaN where no face was found.
        skipped: one line for each image that could not be used, with the reason.
    """

    images: np.ndarray
    labels: np.ndarray
    files: tuple[str, ...]
    landmarks: np.ndarray
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def without(self, reasons: Sequence[str | None]) -> LabelledFaces:
        """The faces whose reason is None; the others are ``skipped``, with their reason."""
        kept = np.array([reason is None for reason in reasons])
        return LabelledFaces(
            self.images[kept],
            self.labels[kept],
            tuple(name for name, keep in zip(self.files, kept, strict=True) if keep),
            self.landmarks[kept],
            self.skipped
            + tuple(
                f"{name}: {reason}"
                for name, reason in zip(self.files, reasons, strict=True)
                if reason is not None
            ),
        )


@dataclass(frozen=True)
class TrainingData:
    """The training split, and the validation split that training is scored on.

    Attributes:
        faces: of the training split.
        validation: of the validation split. Where there are votes, only faces that most people can
            name, labelled with the expression that most of them see.
        votes: FER+'s votes for ``faces``, (n, 7) float32, rows summing to 1, or to 0 for a face
            without votes; None without a file of votes.
        teacher_probabilities: the teachers' mean for ``faces``, (n, 7) float32, rows summing to 1.
    """

    faces: LabelledFaces
    validation: LabelledFaces
    votes: np.ndarray | None = None
    teacher_probabilities: np.ndarray | None = None


def whole_picture(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The simplest ``CutFace``: the whole picture, scaled."""
    face = cv2.resize(picture, (FACE_SIZE_PX, FACE_SIZE_PX), interpolation=cv2.INTER_AREA)
    return face, NO_LANDMARKS


def load_split(
    dataset: Path,
    split: str,
    cut: CutFace = whole_picture,
    exact_size: bool = False,
    colour: bool = False,
) -> LabelledFaces:
    """Read one split (``train``, ``validation`` or ``test``) of a data set.

    Args:
        dataset: its folder, or ``fer2013.csv``.
        split: its name.
        cut: cuts the face out of each picture.
        exact_size: skip pictures that are not 48x48.
        colour: whether ``cut`` takes pictures in colour.

    Raises:
        DatasetError: the data set has no such split, a class folder is missing, or no image can
            be read.
    """
    if dataset.is_file():
        return _from_csv(dataset, split, cut, colour)
    for folder in _possible_folders(dataset, split):
        if folder.is_dir():
            missing = [name for name in EMOTIONS if not (folder / name).is_dir()]
            if missing:
                raise DatasetError(
                    f"{folder}: no folder {', '.join(missing)}; expected one for each of "
                    f"{', '.join(EMOTIONS)}"
                )
            return load_folder(folder, cut, exact_size, colour)
    if not dataset.exists():
        raise DatasetError(f"{dataset}: no such file or folder")
    raise DatasetError(
        f"{dataset}: no {split}/ or images/{split}/ in it; expected folders "
        "<split>/<emotion>/*.jpg, or give the file fer2013.csv"
    )


def has_split(dataset: Path, split: str) -> bool:
    """Whether a data set has that split, usable or not."""
    if dataset.is_file():
        with dataset.open(newline="") as lines:
            return any(row.get("Usage") == CSV_SPLITS[split] for row in csv.DictReader(lines))
    return any(folder.is_dir() for folder in _possible_folders(dataset, split))


def _possible_folders(dataset: Path, split: str) -> tuple[Path, Path]:
    return dataset / split, dataset / "images" / split


def load_training_data(
    dataset: Path, bad_data: BadData, cut: CutFace = whole_picture
) -> TrainingData:
    """Read the training and validation splits, without images that must not be used.

    These are images that cannot be read or are not 48x48; training images that are in the
    validation split, too, which would make the score of a network too good; and faces in which most
    of FER+'s people see none of the seven expressions.

    Args:
        dataset: as for ``load_split``.
        bad_data: leave out images that cannot be used, or refuse the data set.
        cut: cuts the face out of each picture.

    Raises:
        DatasetError: as ``load_split`` and ``load_votes``; or some images are bad, and ``bad_data``
            is ``refuse``.
    """
    validation = load_split(dataset, "validation", cut, exact_size=True)
    faces = _without_duplicates(load_split(dataset, "train", cut, exact_size=True), validation)
    bad = (*faces.skipped, *validation.skipped)
    if bad and bad_data == "refuse":
        raise DatasetError(
            f"{dataset}: {len(bad)} images cannot be used; the first: {bad[0]}. Mend or remove "
            "them, or give --bad-data skip"
        )
    votes = load_votes(dataset, "train", faces.files)
    validation_votes = load_votes(dataset, "validation", validation.files)
    if votes is None or validation_votes is None:
        return TrainingData(faces, validation)
    return TrainingData(
        faces.without([NOT_NAMED if unnamed else None for unnamed in votes.unnamed]),
        _labelled_by_majority(validation, validation_votes.majority),
        votes.shares[~votes.unnamed],
    )


def _labelled_by_majority(faces: LabelledFaces, majority: np.ndarray) -> LabelledFaces:
    """The faces that most people can name, labelled with the expression that most of them see."""
    named = faces.without([NOT_NAMED if label < 0 else None for label in majority])
    return replace(named, labels=majority[majority >= 0])


def _without_duplicates(faces: LabelledFaces, held_out: LabelledFaces) -> LabelledFaces:
    """The faces that are not in ``held_out``, too."""
    names = {
        image.tobytes(): name for image, name in zip(held_out.images, held_out.files, strict=True)
    }
    duplicates_of = [names.get(image.tobytes()) for image in faces.images]
    if None not in duplicates_of:
        raise DatasetError("every training image is in the validation split, too")
    return faces.without(
        [name and f"the same image as {name} of the validation split" for name in duplicates_of]
    )


def load_folder(
    folder: Path, cut: CutFace = whole_picture, exact_size: bool = False, colour: bool = False
) -> LabelledFaces:
    """Read ``<folder>/<emotion>/*.jpg|png``; an emotion without a folder has no faces.

    Raises:
        DatasetError: no folder of an emotion, or no readable image in any.
    """
    if not any((folder / name).is_dir() for name in EMOTIONS):
        raise DatasetError(f"{folder}: none of the folders {', '.join(EMOTIONS)} is in it")
    cuts, labels, files, skipped = [], [], [], []
    for label, path in _labelled_paths(folder):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
        name = str(path.relative_to(folder))
        if image is None:
            skipped.append(f"{name}: not a readable image")
            continue
        height, width = image.shape[:2]
        if exact_size and (height, width) != (FACE_SIZE_PX, FACE_SIZE_PX):
            skipped.append(f"{name}: {width}x{height}, expected {FACE_SIZE_PX}x{FACE_SIZE_PX}")
            continue
        cuts.append(cut(image))
        labels.append(label)
        files.append(name)
    return _assemble(folder, cuts, labels, files, skipped)


def _labelled_paths(folder: Path) -> Iterator[tuple[int, Path]]:
    for label, name in enumerate(EMOTIONS):
        for path in sorted((folder / name).glob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                yield label, path


def _from_csv(path: Path, split: str, cut: CutFace, colour: bool) -> LabelledFaces:
    cuts, labels, files, skipped = [], [], [], []
    with path.open(newline="") as lines:
        reader = csv.DictReader(lines)
        if not {"emotion", "pixels", "Usage"} <= set(reader.fieldnames or ()):
            raise DatasetError(f"{path}: expected the columns emotion, pixels and Usage")
        for row in reader:
            if row["Usage"] != CSV_SPLITS[split]:
                continue
            name = f"line {reader.line_num}"
            try:
                pixels = np.array(row["pixels"].split(), dtype=np.uint8)
                grey = pixels.reshape(FACE_SIZE_PX, FACE_SIZE_PX)
                label = EMOTIONS.index(CSV_LABELS[int(row["emotion"])])
            except (ValueError, OverflowError, IndexError) as error:
                skipped.append(f"{name}: {error}")
                continue
            cuts.append(cut(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) if colour else grey))
            labels.append(label)
            files.append(name)
    return _assemble(path, cuts, labels, files, skipped)


def _assemble(
    origin: Path,
    cuts: list[tuple[np.ndarray, np.ndarray]],
    labels: list[int],
    files: list[str],
    skipped: list[str],
) -> LabelledFaces:
    if not cuts:
        raise DatasetError(f"{origin}: no readable image in it")
    images, landmarks = (np.stack(column) for column in zip(*cuts, strict=True))
    return LabelledFaces(images, np.array(labels), tuple(files), landmarks, tuple(skipped))
