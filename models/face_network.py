"""Run any network of faces as its card says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from configs.errors import ModelError, first_line
from models.card import (
    Card,
    InputPart,
    OutputColumn,
    OutputPart,
    card_path,
    columns_of,
    facts_of,
    read_card,
)
from models.sessions import Session, Shape, open_session

FACES_A_CALL = 8
"""At most; a network whose number of faces is fixed takes one at a time."""

SUM_TOLERANCE = 1e-2
"""Of probabilities that a network gives, in the precision of its numbers."""


class FaceNetwork:
    """A network file with its card beside it.

    Attributes:
        name: of the file.
        sha256: hash of the network, in hexadecimal.
        crop: what is cut out of the picture for it.
        columns: what it gives, in the order of ``predict``.
        facts: for summaries, see ``facts_of``.

    Raises:
        ModelError: a file is missing or wrong, or the network does not fit its card.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.card: Card = read_card(path)
        self.columns: list[OutputColumn] = columns_of(self.card, path)
        self.crop = self.card.face
        self.name = path.name
        self._path, self._session = path, open_session(path, threads)
        self.sha256 = self._session.sha256
        self._check_input(self._session.input_shape)
        self._numbers = _by_tensor(self.card, self._session, path)
        self._faces_a_call = 1
        self._check_outputs()
        self.facts = facts_of(path, self.card, self.sha256, self.columns)

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """What the network sees in faces, the same for a face whatever the others are.

        Args:
            faces: (m, size, size) or (m, size, size, 3) uint8 RGB, as ``crop`` is.

        Returns:
            (m, k) float32, a column for each of ``columns``.
        """
        return self.outputs(faces)[:, self._wanted]

    def outputs(self, faces: np.ndarray) -> np.ndarray:
        """All outputs that the card speaks of, also those without a name: (m, n) float32."""
        results = [
            self._outputs(prepared(faces[start : start + self._faces_a_call], self.card.input))
            for start in range(0, len(faces), self._faces_a_call)
        ]
        return np.concatenate(results) if results else np.empty((0, len(self.names)), np.float32)

    @property
    def names(self) -> list[str | None]:
        """Of the columns of ``outputs``."""
        return [name for part in self.card.outputs for name in part.names]

    @property
    def _wanted(self) -> np.ndarray:
        return np.array([name is not None for name in self.names])

    def _outputs(self, inputs: np.ndarray) -> np.ndarray:
        tensors = self._session.run(inputs, list(self._numbers))
        given: dict[int, np.ndarray] = {}
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
                given[number] = activated(part, self.card.outputs[number])
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
        try:
            alone = np.concatenate([self._outputs(inputs[:1]), self._outputs(inputs[1:])])
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
                together = self._outputs(inputs)
            except Exception:  # As above; it takes one at a time.
                return
            if np.allclose(together, alone, rtol=1e-3, atol=1e-4):
                self._faces_a_call = FACES_A_CALL

    def _check_values(self, values: np.ndarray) -> None:
        if not np.isfinite(values).all():
            raise ModelError(
                f"{self._path}: gives values that are no numbers; correct input.range, input.mean "
                f"and input.std in {card_path(self._path).name}"
            )
        at = 0
        for number, part in enumerate(self.card.outputs):
            own = values[:, at : at + len(part.names)].astype(np.float64)
            at += len(part.names)
            if part.kind == "value" or part.logits or part.temperature != 1:
                continue
            between = own.min() >= -SUM_TOLERANCE and own.max() <= 1 + SUM_TOLERANCE
            sums = np.abs(own.sum(axis=1) - 1).max() <= SUM_TOLERANCE or part.kind == "sigmoid"
            if not (between and sums):
                raise ModelError(
                    f"{self._path}: its values {own[0].round(2).tolist()} are no probabilities; if "
                    f"{part.kind} is still to be applied, say so in {card_path(self._path).name}: "
                    f'outputs.{number}: "logits": true'
                )


def prepared(faces: np.ndarray, taken: InputPart) -> np.ndarray:
    """Faces as a network takes them.

    Args:
        faces: (k, size, size) uint8 grey, or (k, size, size, 3) uint8 RGB.

    Returns:
        (k, ...) float32, normalised, in the layout of the card.
    """
    low, high = taken.range
    values = faces.reshape(*faces.shape[:3], taken.channels).astype(np.float32)
    if taken.colour == "bgr":
        values = values[..., ::-1]
    mean, std = np.array(taken.mean), np.array(taken.std)
    zoom, shift = (high - low) / 255 / std, (low - mean) / std
    values = values * zoom.astype(np.float32) + shift.astype(np.float32)
    return np.ascontiguousarray(values if taken.layout == "NHWC" else np.moveaxis(values, -1, 1))


def activated(values: np.ndarray, part: OutputPart) -> np.ndarray:
    """What a network gives, as the card wants it: probabilities, or values in their range.

    Args:
        values: (k, n) float32.
    """
    if part.range is not None:
        low, high = part.range
        return np.clip(values, low, high)
    if not part.logits and part.temperature == 1:
        return values
    logits = values.astype(np.float64)
    if not part.logits:
        logits = np.log(np.clip(logits, 1e-12, 1))
        if part.kind == "sigmoid":
            logits -= np.log1p(-np.clip(values.astype(np.float64), 0, 1 - 1e-12))
    logits /= part.temperature
    if part.kind == "sigmoid":
        return (0.5 * (1 + np.tanh(logits / 2))).astype(np.float32)  # Does not overflow.
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


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
    sides: Iterable[str] = ("faces" if at == 0 else "any" for at in range(len(shape)))
    return f"({', '.join(str(side or name) for side, name in zip(shape, sides, strict=True))})"
