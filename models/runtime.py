"""Run a trained network on faces, through LiteRT alone: nothing here needs TensorFlow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from configs.errors import ModelError, first_line
from models.card import OutputColumn
from models.crops import OWN
from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.quiet import standard_error_silenced

SHIPPED_MODEL = Path(__file__).with_name("emotions.tflite")

FACES_A_CALL = 8
"""Largest batch of the network: more faces take several calls. One face takes an eighth of it."""


class EmotionNetwork:
    """A ``.tflite`` network with its list of labels beside it (``NAME.json``).

    Attributes:
        name: file name of the model.
        sha256: hash of the model file, in hexadecimal.
        crop: what is cut out of the picture for it.
        columns: what it gives beyond the seven expressions: nothing.
        facts: for summaries.

    Raises:
        ModelError: a file is missing, or the network is not one of 48x48 grey faces and the
            seven expressions.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        if not path.is_file():
            raise ModelError(f"{path}: no such model file")
        self.name, self.crop = path.name, OWN
        self.columns: list[OutputColumn] = []
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.facts: dict[str, Any] = {"name": self.name, "sha256": self.sha256}
        self._labels = read_labels(path.with_suffix(".json"))
        try:
            with standard_error_silenced():
                self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
                self._input = self._interpreter.get_input_details()[0]["index"]
                self._output = self._interpreter.get_output_details()[0]["index"]
                self._batch_size = 0
                shapes = {
                    faces: self._outputs(np.zeros((faces, FACE_SIZE_PX, FACE_SIZE_PX))).shape
                    for faces in (FACES_A_CALL, 1)
                }
        except (ValueError, RuntimeError) as error:
            reason = first_line(error)
            raise ModelError(
                f"{path}: not a LiteRT network with an input of 48x48 grey values: {reason}"
            ) from error
        for faces, shape in shapes.items():
            if shape != (faces, len(EMOTIONS)):
                raise ModelError(
                    f"{path}: its output for {faces} faces is {shape}, expected "
                    f"{(faces, len(EMOTIONS))}: a probability for each expression"
                )

    def predict(self, faces: np.ndarray, sides_px: np.ndarray | None = None) -> np.ndarray:
        """Probabilities of the seven expressions, the same for a face whatever the others are.

        Args:
            faces: (m, 48, 48) uint8, grey.
            sides_px: (m,), side of each face before it was scaled to 48 pixels; small ones have
                temperatures of their own. None if they were not enlarged.

        Returns:
            (m, 7) float32, in the order of ``EMOTIONS``, each row summing to 1.
        """
        probabilities = np.empty((len(faces), len(EMOTIONS)), np.float32)
        for start in range(0, len(faces), FACES_A_CALL):
            part = slice(start, start + FACES_A_CALL)
            probabilities[part] = self._outputs(faces[part])[:, self._labels.order]
        if sides_px is None:
            sides_px = np.full(len(faces), FACE_SIZE_PX)
        return with_temperature(probabilities, self._labels.temperatures(sides_px))

    def classify(self, faces: np.ndarray, sides_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What ``predict`` returns; and nothing, (m, 0), beyond."""
        return self.predict(faces, sides_px), np.empty((len(faces), 0), np.float32)

    def _outputs(self, faces: np.ndarray) -> np.ndarray:
        """The outputs for (k, 48, 48) faces, as many as are there: (k, 7) float32."""
        if len(faces) != self._batch_size:
            shape = (len(faces), FACE_SIZE_PX, FACE_SIZE_PX, 1)
            self._interpreter.resize_tensor_input(self._input, shape, strict=True)
            self._interpreter.allocate_tensors()
            self._batch_size = len(faces)
        self._interpreter.set_tensor(self._input, faces[..., None].astype(np.float32))
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output))


def with_temperature(probabilities: np.ndarray, temperature: float | np.ndarray) -> np.ndarray:
    """Temperature scaling (Guo et al., "On calibration of modern neural networks", ICML 2017).

    Args:
        probabilities: (m, 7), rows summing to 1.
        temperature: above 0, one for all or (m,); above 1 lowers confidence, below 1 raises it.

    Returns:
        (m, 7) float32, rows summing to 1.
    """
    exponents = 1 / np.asarray(temperature, np.float64).reshape(-1, 1)
    powered = np.maximum(probabilities, 1e-12).astype(np.float64) ** exponents
    return (powered / powered.sum(axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Labels:
    """Meaning of the outputs of a network.

    Attributes:
        order: index of the output for each of ``EMOTIONS``.
        by_side: temperatures by the side of a face in pixels, ascending; see ``with_temperature``.
    """

    order: list[int]
    by_side: dict[int, float]

    def temperatures(self, sides_px: np.ndarray) -> np.ndarray:
        """The temperature for faces of each side, (m,) float64: linear between those given."""
        return np.interp(sides_px, list(self.by_side), list(self.by_side.values()))


def read_labels(path: Path) -> Labels:
    """The labels that lie beside a model, ``{"labels": [...], "temperature": 1.0}``.

    A temperature may be an object, too: one for each of several sides of faces in pixels, such as
    ``{"16": 1.5, "48": 1.0}``.

    Raises:
        ModelError: the file is missing, or its labels are not the seven expressions.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        names, by_side = list(card["labels"]), _by_side(card.get("temperature", 1.0))
    except FileNotFoundError:
        raise ModelError(
            f"{path}: missing; a model needs its labels beside it, in the order of its outputs: "
            f'{{"labels": {json.dumps(EMOTIONS)}}}'
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f'{path}: expected {{"labels": [...], "temperature": 1.0}}') from error
    if sorted(names) != sorted(EMOTIONS) or not by_side or min(by_side.values()) <= 0:
        raise ModelError(
            f"{path}: labels must be {', '.join(EMOTIONS)} in any order, "
            "and the temperature above 0"
        )
    return Labels([names.index(name) for name in EMOTIONS], by_side)


def _by_side(temperature: float | dict[str, float]) -> dict[int, float]:
    if not isinstance(temperature, dict):
        return {FACE_SIZE_PX: float(temperature)}
    return dict(sorted((int(side), float(value)) for side, value in temperature.items()))


def write_labels(model: Path, by_side: dict[int, float]) -> None:
    """Write the labels that lie beside a model whose outputs are in the order of ``EMOTIONS``.

    Args:
        by_side: see ``Labels``.
    """
    temperature = {str(side): round(value, 4) for side, value in sorted(by_side.items())}
    card = {"labels": list(EMOTIONS), "temperature": temperature}
    model.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
