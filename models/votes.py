"""FER+: what ten people see in each face of FER-2013 (Barsoum et al., ICMI 2016)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.errors import DatasetError
from models.emotions import EMOTIONS

VOTES_FILE = "ferplus_votes.csv"
"""Columns: ``file`` (``<split>/<emotion>/<name>``), and one for each kind of vote."""

VOTE_NAMES = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
"""Expressions as FER+ itself calls them."""


@dataclass(frozen=True)
class Votes:
    """What people see in n faces.

    Attributes:
        shares: (n, 7) float32, the votes for each of ``EMOTIONS`` as shares of the votes for all
            seven; all zero for a face without votes.
        unnamed: (n,) bool, faces of which at least half of the votes are for something else:
            contempt, unknown or not a face.
    """

    shares: np.ndarray
    unnamed: np.ndarray

    @property
    def majority(self) -> np.ndarray:
        """(n,) int64, index of the expression with the most votes; -1 if unnamed or not voted on.

        Of expressions with equally many votes it is the first in the alphabet.
        """
        named = self.shares.any(axis=1) & ~self.unnamed
        return np.where(named, self.shares.argmax(axis=1), -1)


def load_votes(dataset: Path, split: str, files: Sequence[str]) -> Votes | None:
    """The votes for images of a split; None if the data set has no file of votes.

    Args:
        dataset: the data set's folder, with ``ferplus_votes.csv`` in it.
        split: ``train``, ``validation`` or ``test``.
        files: n names, as in ``LabelledFaces.files``.

    Raises:
        DatasetError: the file is not as described, or has none of the images.
    """
    path = dataset / VOTES_FILE
    if not path.is_file():
        return None
    with path.open(newline="") as lines:
        header, *rows = list(csv.reader(lines)) or [[]]
    kinds = [VOTE_NAMES.get(name, name) for name in header[1:]]
    missing = [name for name in EMOTIONS if name not in kinds]
    if header[:1] != ["file"] or missing:
        raise DatasetError(
            f"{path}: expected the column file, then one for each kind of vote; missing: "
            f"{', '.join(missing) or 'file'}"
        )
    try:
        counts = {row[0]: [float(count) for count in row[1:]] for row in rows}
        votes = np.array(
            [counts.get(_key(split, name), [0.0] * len(kinds)) for name in files], dtype=np.float32
        )
    except ValueError as error:
        raise DatasetError(f"{path}: not a table of counts: {error}") from error
    if not votes.any():
        raise DatasetError(f"{path}: it has none of the {len(files)} images of {split}/")
    named = votes[:, [kinds.index(name) for name in EMOTIONS]]
    total = named.sum(axis=1, keepdims=True)
    return Votes(
        shares=named / np.maximum(total, 1),
        unnamed=votes.any(axis=1) & (total[:, 0] * 2 <= votes.sum(axis=1)),
    )


def _key(split: str, name: str) -> str:
    return f"{split}/{Path(name).as_posix()}"
