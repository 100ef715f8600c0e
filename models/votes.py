"""FER+: ten people's votes on each image of FER-2013 (Barsoum et al., ICMI 2016)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from configs.errors import DatasetError

VOTES_FILE = "ferplus_votes.csv"
"""A column ``file`` (``<split>/<emotion>/<name>``), and one for each kind of vote."""


def load_votes(dataset: Path, split: str, files: Sequence[str]) -> np.ndarray | None:
    """The votes for images of a split.

    Args:
        dataset: the data set's folder, with ``ferplus_votes.csv`` in it.
        split: ``train``, ``validation`` or ``test``.
        files: n names, as in ``LabelledFaces.files``.

    Returns:
        (n, k) float32: each kind of vote's share of an image's votes, in the file's order of
        columns; all zero for an image without votes. None if the data set has no such file.

    Raises:
        DatasetError: the file is not as described, or has none of the images.
    """
    path = dataset / VOTES_FILE
    if not path.is_file():
        return None
    with path.open(newline="") as lines:
        header, *rows = list(csv.reader(lines)) or [[]]
        if len(header) < 2 or header[0] != "file":
            raise DatasetError(f"{path}: expected the column file, then one for each kind of vote")
        try:
            counts = {row[0]: [float(count) for count in row[1:]] for row in rows}
            votes = np.array(
                [counts.get(f"{split}/{name}", [0.0] * (len(header) - 1)) for name in files],
                dtype=np.float32,
            )
        except ValueError as error:
            raise DatasetError(f"{path}: not a table of counts: {error}") from error
    if not votes.any():
        raise DatasetError(f"{path}: it has none of the {len(files)} images of {split}/")
    return votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)
