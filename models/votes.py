"""FER+: what ten people see in each face of FER-2013 (Barsoum et al., ICMI 2016)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from configs.errors import DatasetError
from models.emotions import EMOTIONS

VOTES_FILE = "ferplus_votes.csv"
"""Columns: ``file`` (``<split>/<emotion>/<name>``), and one for each kind of vote."""

VOTE_NAMES = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
"""Expressions as FER+ itself calls them."""


DRAWS = 10

OUTLIER = 1
"""Votes for one kind that the papers' rule takes for a slip."""


@dataclass(frozen=True)
class Votes:
    """What people see in n faces.

    Attributes:
        counts: (n, k) float32, votes by kind; all zero for a face without votes.
        kinds: k names, the seven of ``EMOTIONS`` among them.
    """

    counts: NDArray[np.float32]
    kinds: tuple[str, ...]

    @property
    def named(self) -> NDArray[np.float32]:
        """(n, 7), the votes for each of ``EMOTIONS``."""
        named: NDArray[np.float32] = self.counts[:, [self.kinds.index(name) for name in EMOTIONS]]
        return named

    @property
    def shares(self) -> NDArray[np.float32]:
        """(n, 7), the votes for each of ``EMOTIONS`` as shares of those for all seven."""
        shares: NDArray[np.float32] = self.named / np.maximum(
            self.named.sum(axis=1, keepdims=True), 1
        )
        return shares

    @property
    def unnamed(self) -> np.ndarray:
        """(n,) bool, faces of which at least half of the votes are for something else: contempt,
        unknown or not a face."""
        few: NDArray[np.bool_] = self.named.sum(axis=1) * 2 <= self.counts.sum(axis=1)
        return self.counts.any(axis=1) & few

    @property
    def majority(self) -> np.ndarray:
        """(n,) int64, index of the expression with the most votes; -1 if unnamed or not voted on.

        Of expressions with equally many votes it is the first in the alphabet.
        """
        named = self.named.any(axis=1) & ~self.unnamed
        return np.where(named, self.named.argmax(axis=1), -1)

    @property
    def majority_of_papers(self) -> np.ndarray:
        """(n,) int64, index of the expression by the rule that FER+'s own program has; -1 for none.

        A kind with a single vote loses it. The expression is the one with more than half of the
        votes that are left; faces with none, or where most see contempt, or no face, are left out.
        """
        kept = np.where(self.counts > OUTLIER, self.counts, 0)
        most = kept.max(axis=1) * 2 > kept.sum(axis=1)
        expressions = [EMOTIONS.index(name) if name in EMOTIONS else -1 for name in self.kinds]
        return np.where(most, np.array(expressions)[kept.argmax(axis=1)], -1)

    def agreement_of_halves(self) -> float:
        """How often two halves of the people see the same: a ceiling for any network.

        Of faces that ``majority`` names. Each half of the votes for one of ``EMOTIONS`` names that
        with the most of them, of several with equally many one by chance; an odd vote is left out.
        The halves are drawn ``DRAWS`` times, always the same.
        """
        rng = np.random.default_rng(0)
        named = self.named[self.majority >= 0].astype(int)
        several = named[named.sum(axis=1) > 1]
        agree = []
        for counts in np.repeat(several, DRAWS, axis=0):
            first = rng.multivariate_hypergeometric(counts, counts.sum() // 2)
            second = rng.multivariate_hypergeometric(counts - first, counts.sum() // 2)
            tops = first == first.max(), second == second.max()
            agree.append((tops[0] & tops[1]).sum() / (tops[0].sum() * tops[1].sum()))
        return float(np.mean(agree))


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
    return Votes(votes, tuple(kinds))


def _key(split: str, name: str) -> str:
    return f"{split}/{Path(name).as_posix()}"
