"""Open network files: what each runtime gives of them, in one form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from configs.errors import ModelError, first_line
from models.libraries import standard_error_silenced
from models.onnx_file import checked_onnx, onnx_session

Shape = tuple[int | None, ...]
"""None for a dimension of any length."""


class Session(Protocol):
    """An opened network with one input.

    Attributes:
        sha256: hash of all that it is made of, in hexadecimal.
        input_shape: of the network, with the dimension of faces first.
        outputs: names of its outputs.
    """

    sha256: str
    input_shape: Shape
    outputs: Sequence[str]

    def run(self, faces: NDArray[np.float32], outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        """Some outputs for (k, ...) float32, as many as are there."""
        ...


def open_session(path: Path, threads: int = 1) -> Session:
    """Open a network file; nothing in it is run but the operators of the runtime.

    Raises:
        ModelError: it is missing, of another kind, or cannot be opened.
    """
    kinds: dict[str, Callable[[Path, int], Session]] = {
        ".onnx": OnnxSession,
        ".tflite": LiteSession,
        ".keras": KerasSession,
    }
    if path.suffix.lower() not in kinds:
        raise ModelError(f"{path}: not a network file; one ends in .onnx, .tflite or .keras")
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    try:
        return kinds[path.suffix.lower()](path, threads)
    except ModelError:
        raise
    except Exception as error:  # Of many classes, by runtime.
        raise ModelError(f"{path}: cannot be opened: {first_line(error)}") from error


class OnnxSession:
    """Of ONNX Runtime."""

    def __init__(self, path: Path, threads: int) -> None:
        model, self.sha256 = checked_onnx(path)
        self._session = onnx_session(model, threads)
        taken, *others = self._session.get_inputs()
        if others:
            names = ", ".join(each.name for each in (taken, *others))
            raise ModelError(f"{path}: takes several inputs: {names}; export it with one")
        if taken.type != "tensor(float)":
            raise ModelError(f"{path}: takes {taken.type}; export it with an input of float32")
        self._input = taken.name
        self.input_shape: Shape = tuple(
            length if isinstance(length, int) and length > 0 else None for length in taken.shape
        )
        self.outputs: Sequence[str] = [output.name for output in self._session.get_outputs()]

    def run(self, faces: NDArray[np.float32], outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        return self._session.run(list(outputs), {self._input: faces})


class LiteSession:
    """Of LiteRT."""

    def __init__(self, path: Path, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        content = path.read_bytes()
        self.sha256 = hashlib.sha256(content).hexdigest()
        with standard_error_silenced():
            self._interpreter: Any = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        taken, *others = self._interpreter.get_input_details()
        if others:
            raise ModelError(f"{path}: takes several inputs; export it with one")
        if taken["dtype"] != np.float32:
            kind = np.dtype(taken["dtype"]).name
            raise ModelError(f"{path}: takes {kind}; export it with an input of float32")
        stated = taken.get("shape_signature", taken["shape"])
        self.input_shape: Shape = tuple(int(side) if side > 0 else None for side in stated)
        self._input, self._shape = taken["index"], tuple(taken["shape"])
        self._places = {
            output["name"]: output["index"] for output in self._interpreter.get_output_details()
        }
        self.outputs: Sequence[str] = list(self._places)

    def run(self, faces: NDArray[np.float32], outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        if faces.shape != self._shape:
            self._interpreter.resize_tensor_input(self._input, faces.shape, strict=True)
            self._interpreter.allocate_tensors()
            self._shape = faces.shape
        self._interpreter.set_tensor(self._input, faces)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(self._places[name]) for name in outputs]


class KerasSession:
    """Of Keras: for scores of a network in its full precision; ``run`` converts it before."""

    def __init__(self, path: Path, threads: int) -> None:
        from models.keras_model import load_any_keras  # TensorFlow is slow to import.

        self._network = load_any_keras(path)
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.input_shape: Shape = self._network.input_shape
        self.outputs: Sequence[str] = [tensor.name for tensor in self._network.outputs]

    def run(self, faces: NDArray[np.float32], outputs: Sequence[str]) -> list[Any]:
        given = self._network.predict_on_batch(faces)
        tensors = given if isinstance(given, list) else [given]
        return [tensors[self.outputs.index(name)] for name in outputs]
