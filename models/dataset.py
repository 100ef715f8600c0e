"""FER-2013 as its users have it: folders of images by expression, or the original ``fer2013.csv``.

Goodfellow et al., "Challenges in representation learning", ICONIP 2013: 48x48 grey faces, seven
labels. Training, public test (here: validation) and private test are its splits.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from configs.errors import DatasetError
from models.emotions import EMOTIONS, FACE_SIZE_PX

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png"}

CSV_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Meaning of the numbers 0 to 6 in ``fer2013.csv``, which are not alphabetical."""

CSV_SPLITS = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}


@dataclass(frozen=True)
class LabelledFaces:
    """Faces and their labels, column-wise.

    Attributes:
        images: (n, 48, 48) uint8, grey.
        labels: (n,) int64, indices into ``EMOTIONS``.
        files: n names, relative to the data set.
        skipped: one line for each image that could not be used, with the reason.
    """

    images: np.ndarray
    labels: np.ndarray
    files: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


def load_split(dataset: Path, split: str) -> LabelledFaces:
    """Read one split (``train``, ``validation`` or ``test``) of a data set.

    Raises:
        DatasetError: the data set has no such split, a class folder is missing, or no image can
            be read.
    """
    if dataset.is_file():
        return _from_csv(dataset, split)
    for folder in (dataset / split, dataset / "images" / split):
        if folder.is_dir():
            missing = [name for name in EMOTIONS if not (folder / name).is_dir()]
            if missing:
                raise DatasetError(
                    f"{folder}: no folder {', '.join(missing)}; expected one for each of "
                    f"{', '.join(EMOTIONS)}"
                )
            return load_folder(folder)
    if not dataset.exists():
        raise DatasetError(f"{dataset}: no such file or folder")
    raise DatasetError(
        f"{dataset}: no {split}/ or images/{split}/ in it; expected folders "
        "<split>/<emotion>/*.jpg, or give the file fer2013.csv"
    )


def load_folder(folder: Path) -> LabelledFaces:
    """Read ``<folder>/<emotion>/*.jpg|png``; emotions without a folder are taken as empty.

    Raises:
        DatasetError: no folder of an emotion, or no readable image in any.
    """
    if not any((folder / name).is_dir() for name in EMOTIONS):
        raise DatasetError(f"{folder}: none of the folders {', '.join(EMOTIONS)} is in it")
    images, labels, files, skipped = [], [], [], []
    for label, path in _labelled_paths(folder):
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        name = str(path.relative_to(folder))
        if image is None:
            skipped.append(f"{name}: not a readable image")
            continue
        if image.shape != (FACE_SIZE_PX, FACE_SIZE_PX):
            image = cv2.resize(image, (FACE_SIZE_PX, FACE_SIZE_PX), interpolation=cv2.INTER_AREA)
        images.append(image)
        labels.append(label)
        files.append(name)
    return _assemble(folder, images, labels, files, skipped)


def _labelled_paths(folder: Path) -> Iterator[tuple[int, Path]]:
    for label, name in enumerate(EMOTIONS):
        for path in sorted((folder / name).glob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                yield label, path


def _from_csv(path: Path, split: str) -> LabelledFaces:
    images, labels, files, skipped = [], [], [], []
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
                image = pixels.reshape(FACE_SIZE_PX, FACE_SIZE_PX)
                label = EMOTIONS.index(CSV_LABELS[int(row["emotion"])])
            except (ValueError, OverflowError, IndexError) as error:
                skipped.append(f"{name}: {error}")
                continue
            images.append(image)
            labels.append(label)
            files.append(name)
    return _assemble(path, images, labels, files, skipped)


def _assemble(
    origin: Path,
    images: list[np.ndarray],
    labels: list[int],
    files: list[str],
    skipped: list[str],
) -> LabelledFaces:
    if not images:
        raise DatasetError(f"{origin}: no readable image in it")
    return LabelledFaces(np.stack(images), np.array(labels), tuple(files), tuple(skipped))
