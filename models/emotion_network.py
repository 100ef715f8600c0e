"""Networks of expressions with a card: of any input, and with other labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from configs.errors import ModelError
from models.card import OutputColumn, card_path, columns_of, facts_of, read_json
from models.crops import Crop
from models.emotions import EMOTIONS
from models.face_network import FaceNetwork
from models.runtime import EmotionNetwork

LEAST = 1e-12
"""Of a probability, so that the seven have a sum where another class has all of it."""


class Classifier(Protocol):
    """What tells the seven expressions of faces.

    Attributes:
        name: of its file.
        sha256: hash of the network, in hexadecimal.
        crop: what is cut out of the picture for it.
        columns: what it gives beyond the seven.
        facts: for summaries.
    """

    name: str
    sha256: str
    crop: Crop
    columns: list[OutputColumn]
    facts: dict[str, Any]

    def classify(self, faces: np.ndarray, sides_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The seven probabilities of faces, and the rest.

        Args:
            faces: (m, ...) uint8, as ``crop`` is.
            sides_px: (m,), side of each face before it was scaled.

        Returns:
            (m, 7) float32, in the order of ``EMOTIONS``, each row summing to 1; and (m, k) float32,
            in the order of ``columns``.
        """
        ...


def load_classifier(path: Path, threads: int = 1) -> Classifier:
    """A network of expressions, with a card or with labels alone beside it.

    Raises:
        ModelError: a file is missing or wrong, or they do not fit each other.
    """
    return CardedClassifier(path, threads) if has_card(path) else EmotionNetwork(path, threads)


def has_card(path: Path) -> bool:
    """Whether there is a card, rather than labels alone, beside a network.

    Raises:
        ModelError: what is there cannot be read.
    """
    if path.suffix.lower() != ".onnx" and not card_path(path).is_file():
        return False
    values = read_json(card_path(path))
    return path.suffix.lower() == ".onnx" or (isinstance(values, dict) and "labels" not in values)


class CardedClassifier:
    """A network whose card says which of its classes are which of the seven expressions.

    Probabilities of the seven are those of their classes, made to sum to 1; of several classes for
    one expression, the sum. Other classes, and other outputs, are columns of their own, as they
    are.

    Raises:
        ModelError: as ``FaceNetwork``; or an expression has no class.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._network = FaceNetwork(path, threads)
        self.name, self.sha256 = self._network.name, self._network.sha256
        self.crop = self._network.crop
        expressions = self._expressions(path)
        names = self._network.names
        self._of_expressions = np.zeros((len(names), len(EMOTIONS)), np.float32)
        for place, name in enumerate(names):
            if name in expressions:
                self._of_expressions[place, EMOTIONS.index(expressions[name])] = 1
        self._others = np.array([bool(name) and name not in expressions for name in names])
        self.columns = columns_of(self._network.card, path, without=frozenset(expressions))
        self.facts = facts_of(path, self._network.card, self.sha256, self.columns)

    def classify(self, faces: np.ndarray, sides_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = self._network.outputs(faces)
        seven = np.maximum(outputs @ self._of_expressions, LEAST)
        return seven / seven.sum(axis=1, keepdims=True), outputs[:, self._others]

    def _expressions(self, path: Path) -> dict[str, str]:
        """The expressions, by the names of their classes."""
        card, given = self._network.card, self._network.card.emotions or {}
        for number, part in enumerate(card.outputs):
            found = {
                name: given.get(name, name)
                for name in part.names
                if name and given.get(name, name) in EMOTIONS
            }
            missing = [name for name in EMOTIONS if name not in found.values()]
            if part.kind == "softmax" and not missing:
                return found
            if found:
                problem = (
                    f"outputs.{number} is of the kind {part.kind}; a network for --model needs "
                    "softmax"
                    if part.kind != "softmax"
                    else f"no class for {', '.join(missing)}; say with emotions which class is "
                    'which expression, such as {"happiness": "happy"}'
                )
                raise ModelError(f"{card_path(path)}: emotions: {problem}")
        raise ModelError(
            f"{card_path(path)}: emotions: no class is one of {', '.join(EMOTIONS)}; say which is, "
            'such as {"happiness": "happy"}, or take it as --network'
        )
