"""Run any network of faces as its card says; the one that ships is one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from configs.errors import ModelError, first_line
from models.card import (
    Card,
    InputPart,
    OutputColumn,
    OutputPart,
    card_path,
    columns_of,
    read_card,
)
from models.emotions import EMOTIONS
from models.sessions import Session, Shape, open_session

SHIPPED_MODEL = Path(__file__).with_name("emotions.tflite")

FACES_A_CALL = 8
"""At most; a network whose number of faces is fixed takes one at a time."""

SUM_TOLERANCE = 1e-2
"""Of probabilities that a network gives, in the precision of its numbers."""

LEAST = 1e-12
"""Of a probability, so that it has a logarithm, and the seven have a sum where another class has
all of it."""


class Network:
    """A network file with its card beside it.

    Attributes:
        name: of the file.
        card: what it takes and gives.
        sha256: hash of the network, in hexadecimal.
        crop: what is cut out of the picture for it.
        columns: what it gives; beyond the seven expressions, if it tells these.
        facts: for summaries.

    Args:
        threads: that its runtime may use.
        expressions: it is to tell the seven expressions. Their probabilities are then those of
            their classes, made to sum to 1; of several classes for one expression, the sum.

    Raises:
        ModelError: a file is missing or wrong, the network does not fit its card, or an expression
            has no class.

    Example:
        network = Network(SHIPPED_MODEL, expressions=True)
        probabilities, _ = network.classify(faces)
    """

    def __init__(self, path: Path, threads: int = 1, expressions: bool = False) -> None:
        self.card: Card = read_card(path)
        self.crop, self.name = self.card.face, path.name
        self._path, self._session = path, open_session(path, threads)
        self.sha256 = self._session.sha256
        self._check_input(self._session.input_shape)
        self._numbers = _by_tensor(self.card, self._session, path)
        self._faces_a_call = 1
        self._check_outputs()
        told = _expressions(self.card, path) if expressions else {}
        names = [name for part in self.card.outputs for name in part.names]
        self._of_expressions = np.array(
            [[told.get(name or "") == emotion for emotion in EMOTIONS] for name in names],
            np.float32,
        )
        self._others = np.array([name is not None and name not in told for name in names])
        # Where each class is one of the seven, their probabilities sum to 1 as they are.
        self._whole = any(set(part.names) == set(told) for part in self.card.outputs)
        self.columns: list[OutputColumn] = columns_of(self.card, path, without=frozenset(told))
        self.facts = _facts(path, self.card, self.sha256, self.columns)

    def classify(
        self, faces: NDArray[np.uint8], sides_px: NDArray[np.float32] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The seven probabilities of faces, and the rest; arguments as for ``predict``.

        Returns:
            (m, 7), in the order of ``EMOTIONS``, each row summing to 1; and (m, k), a column for
            each of ``columns``.
        """
        outputs = self._all_outputs(faces, sides_px)
        seven = outputs @ self._of_expressions
        if not self._whole:
            seven = np.maximum(seven, LEAST)
            seven /= seven.sum(axis=1, keepdims=True)
        return seven, outputs[:, self._others]

    def predict(
        self, faces: NDArray[np.uint8], sides_px: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """What the network sees in faces, the same for a face whatever the others are.

        Args:
            faces: (m, size, size), or (m, size, size, 3) RGB, as ``crop`` is.
            sides_px: (m,), side of each face before it was scaled; small ones may have temperatures
                of their own. None if they were not enlarged.

        Returns:
            (m, k), a column for each of ``columns``.
        """
        return self._all_outputs(faces, sides_px)[:, self._others]

    def _all_outputs(
        self, faces: NDArray[np.uint8], sides_px: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """All outputs that the card speaks of, also those without a name: (m, n)."""
        if sides_px is None:
            sides_px = np.full(len(faces), self.crop.size_px, np.float32)
        outputs = np.empty((len(faces), len(self._others)), np.float32)
        for start in range(0, len(faces), self._faces_a_call):
            part = slice(start, start + self._faces_a_call)
            outputs[part] = self._outputs(prepared(faces[part], self.card.input), sides_px[part])
        return outputs

    def _outputs(
        self, inputs: NDArray[np.float32], sides_px: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        tensors = self._session.run(inputs, list(self._numbers))
        given: dict[int, NDArray[np.float32]] = {}
        for (tensor, numbers), values in zip(self._numbers.items(), tensors, strict=True):
            sizes = [len(self.card.outputs[number].names) for number in numbers]
            expected = len(inputs), sum(sizes)
            flat = np.asarray(values, np.float32)
            if flat.shape[:1] != expected[:1] or flat.size != expected[0] * expected[1]:
                raise ModelError(
                    f"{self._path}: its output {tensor} for {len(inputs)} faces is {flat.shape}, "
                    f"{card_path(self._path).name} names {expected}: correct outputs.names, or the "
                    "size and layout of input"
                )
            parts = np.split(flat.reshape(expected), np.cumsum(sizes)[:-1], axis=1)
            for number, part in zip(numbers, parts, strict=True):
                given[number] = activated(part, self.card.outputs[number], sides_px)
        return np.concatenate([given[number] for number in sorted(given)], axis=1)

    def _check_input(self, found: Shape) -> None:
        expected: Shape = (None, *self.card.input.shape)
        fits = len(found) == len(expected) and all(
            None in sides or sides[0] == sides[1]
            for sides in zip(found[1:], expected[1:], strict=True)
        )
        if fits and found[0] not in (None, 1):
            raise ModelError(
                f"{self._path}: its input is {_shown(found)}: it takes {found[0]} faces at a time; "
                "export it for one, or for any number"
            )
        if not fits:
            raise ModelError(
                f"{self._path}: its input is {_shown(found)}, {card_path(self._path).name} says "
                f"{_shown(expected)}: correct input.size, input.colour or input.layout"
            )

    def _check_outputs(self) -> None:
        """Try it: whether outputs are as the card says, and whether several faces may come at once.

        Some networks are exported for one face, and give wrong values, or none, for several.
        """
        noise = np.random.default_rng(0).integers(0, 256, (2, *self.crop.shape), np.uint8)
        inputs = prepared(noise, self.card.input)
        sides_px = np.full(2, self.crop.size_px, np.float32)
        try:
            alone = np.concatenate(
                [self._outputs(inputs[:1], sides_px[:1]), self._outputs(inputs[1:], sides_px[1:])]
            )
        except ModelError:
            raise
        except Exception as error:  # Of many classes, by runtime.
            raise ModelError(
                f"{self._path}: does not run on {_shown((1, *self.card.input.shape))}, the input "
                f"that {card_path(self._path).name} says: {first_line(error)}"
            ) from error
        self._check_values(alone)
        if self._session.input_shape[0] is None:
            try:
                together = self._outputs(inputs, sides_px)
            except Exception:  # As above; it takes one at a time.
                return
            if np.allclose(together, alone, rtol=1e-3, atol=1e-4):
                self._faces_a_call = FACES_A_CALL

    def _check_values(self, values: NDArray[np.float32]) -> None:
        if not np.isfinite(values).all():
            raise ModelError(
                f"{self._path}: gives values that are no numbers; correct input.range, input.mean "
                f"and input.std in {card_path(self._path).name}"
            )
        at = 0
        for number, part in enumerate(self.card.outputs):
            own = values[:, at : at + len(part.names)].astype(np.float64)
            at += len(part.names)
            if part.kind == "value" or part.logits or part.changes_confidence:
                continue
            between = own.min() >= -SUM_TOLERANCE and own.max() <= 1 + SUM_TOLERANCE
            sums = np.abs(own.sum(axis=1) - 1).max() <= SUM_TOLERANCE or part.kind == "sigmoid"
            if not (between and sums):
                raise ModelError(
                    f"{self._path}: its values {own[0].round(2).tolist()} are no probabilities; if "
                    f"{part.kind} is still to be applied, say so in {card_path(self._path).name}: "
                    f'outputs.{number}: "logits": true'
                )


def prepared(faces: NDArray[np.uint8], taken: InputPart) -> NDArray[np.float32]:
    """Faces as a network takes them.

    Args:
        faces: (k, size, size) grey, or (k, size, size, 3) RGB.

    Returns:
        (k, ...), normalised, in the layout of the card.
    """
    low, high = taken.range
    values = faces.reshape(*faces.shape[:3], taken.channels).astype(np.float32)
    if taken.colour == "bgr":
        values = values[..., ::-1]
    mean, std = np.array(taken.mean), np.array(taken.std)
    zoom, shift = (high - low) / 255 / std, (low - mean) / std
    values = values * zoom.astype(np.float32) + shift.astype(np.float32)
    return np.ascontiguousarray(values if taken.layout == "NHWC" else np.moveaxis(values, -1, 1))


def activated(
    values: NDArray[np.float32], part: OutputPart, sides_px: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What a network gives, as the card wants it: probabilities, or values in their range.

    Args:
        values: (k, n).
        sides_px: (k,), side of each face before it was scaled.
    """
    if part.range is not None:
        low, high = part.range
        return np.clip(values, low, high)
    if not part.logits and not part.changes_confidence:
        return values
    temperatures = part.temperatures(sides_px)
    if part.kind == "softmax" and not part.logits:
        return with_temperature(values, temperatures)
    logits = values.astype(np.float64)
    if not part.logits:
        odds = np.clip(logits, LEAST, 1 - LEAST)
        logits = np.log(odds) - np.log1p(-odds)
    logits /= temperatures[:, None]
    if part.kind == "sigmoid":
        return (0.5 * (1 + np.tanh(logits / 2))).astype(np.float32)  # Does not overflow.
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def with_temperature(
    probabilities: NDArray[np.float32], temperature: float | NDArray[np.float64]
) -> NDArray[np.float32]:
    """Temperature scaling (Guo et al., "On calibration of modern neural networks", ICML 2017).

    Args:
        probabilities: (m, n), rows summing to 1.
        temperature: above 0, one for all or (m,); above 1 lowers confidence, below 1 raises it.

    Returns:
        (m, n), rows summing to 1.
    """
    exponents = 1 / np.asarray(temperature, np.float64).reshape(-1, 1)
    powered = np.maximum(probabilities, LEAST).astype(np.float64) ** exponents
    return (powered / powered.sum(axis=1, keepdims=True)).astype(np.float32)


def _facts(
    network: Path, card: Card, sha256: str, columns: Sequence[OutputColumn]
) -> dict[str, Any]:
    """What a summary says of a network."""
    return {
        "name": network.name,
        "sha256": sha256,
        "card_sha256": hashlib.sha256(card_path(network).read_bytes()).hexdigest(),
        "licence": card.licence,
        "source": card.source,
        "columns": [
            {key: value for key, value in asdict(column).items() if key != "network"}
            for column in columns
        ],
    }


def _expressions(card: Card, path: Path) -> dict[str, str]:
    """The expressions, by the names of their classes.

    Raises:
        ModelError: one has no class.
    """
    given = card.emotions or {}
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
                f"outputs.{number} is of the kind {part.kind}; a network for --model needs softmax"
                if part.kind != "softmax"
                else f"no class for {', '.join(missing)}; say with emotions which class is which "
                'expression, such as {"happiness": "happy"}'
            )
            raise ModelError(f"{card_path(path)}: emotions: {problem}")
    raise ModelError(
        f"{card_path(path)}: emotions: no class is one of {', '.join(EMOTIONS)}; say which is, "
        'such as {"happiness": "happy"}, or take it as --network'
    )


def _by_tensor(card: Card, session: Session, path: Path) -> dict[str, list[int]]:
    """The numbers of the card's outputs by the network's.

    Raises:
        ModelError: one is not there, or it does not say which.
    """
    numbers: dict[str, list[int]] = {}
    for number, part in enumerate(card.outputs):
        if part.tensor is None and len(session.outputs) > 1:
            raise ModelError(
                f"{card_path(path)}: outputs.{number}.tensor: missing; {path.name} has several "
                f"outputs: {', '.join(session.outputs)}; say which"
            )
        name = part.tensor or session.outputs[0]
        if name not in session.outputs:
            raise ModelError(
                f"{card_path(path)}: outputs.{number}.tensor: {path.name} has no output {name}; "
                f"it has {', '.join(session.outputs)}"
            )
        numbers.setdefault(name, []).append(number)
    return numbers


def _shown(shape: Shape) -> str:
    sides = ("faces" if at == 0 else "any" for at in range(len(shape)))
    return f"({', '.join(str(side or name) for side, name in zip(shape, sides, strict=True))})"
