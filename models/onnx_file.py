"""Read ONNX files with care: they are data, and no code that they name is run."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from configs.errors import ModelError, first_line

KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})
"""Whose operators are in ONNX Runtime itself."""


def onnx_session(model: bytes | str, threads: int = 1) -> Any:
    """ONNX Runtime's session of a model, or of the file that it is in, on the CPU."""
    import onnxruntime  # Takes time to load, and not every process needs it.

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads must not take the CPUs of other stages.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def packaged_weights(package: str, file: str) -> Path:
    """Path of a file in an installed package.

    Args:
        file: path below the package's folder.

    Raises:
        ModelError: there is no such package, or not this file in it.
    """
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / file if found and found.origin else None
    if path is None or not path.is_file():
        raise ModelError(f"{file} is missing; install the package {package} of requirements.lock")
    return path


def checked_onnx(path: Path) -> tuple[bytes | str, str]:
    """What ``onnx_session`` takes for a file, and the hash of all that it is made of.

    Raises:
        ModelError: it is no ONNX file, has operators that are not ONNX Runtime's own, or keeps
            weights in files outside of its folder.
    """
    import onnx

    content = path.read_bytes()
    digest = hashlib.sha256(content)
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception as error:  # Protobuf's errors are of a class that moves with its versions.
        raise ModelError(f"{path}: not an ONNX file: {first_line(error)}") from error
    if not model.graph.node:
        raise ModelError(f"{path}: not an ONNX file with a network in it")
    _check_operators(model, path)
    outside = sorted({name for tensor in _tensors(model) for name in [_external(tensor)] if name})
    for name in outside:
        digest.update(_file_beside(path, name).read_bytes())
    return (str(path) if outside else content), digest.hexdigest()


def _check_operators(model: Any, path: Path) -> None:
    """Refuse operators that only a library of their own could run."""
    made_of_others = {(function.domain, function.name) for function in model.functions}
    for node in _nodes(model):
        if node.domain not in KNOWN_DOMAINS and (node.domain, node.op_type) not in made_of_others:
            raise ModelError(
                f"{path}: the operator {node.domain}.{node.op_type} is not one of ONNX; it would "
                "run code of its own, and is refused: export the network with standard operators"
            )


def _nodes(model: Any) -> Iterator[Any]:
    for part in (model.graph, *model.functions):
        yield from _nodes_below(part)


def _nodes_below(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes_below(inner)


def _tensors(model: Any) -> Iterator[Any]:
    """All tensors of a model, wherever they are in it."""
    yield from _tensors_of(model.graph)
    for function in model.functions:
        for node in function.node:
            yield from _tensors_of_node(node)


def _tensors_of(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        yield from _tensors_of_node(node)


def _tensors_of_node(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for graph in (attribute.g, *attribute.graphs):
            yield from _tensors_of(graph)


def _external(tensor: Any) -> str | None:
    """The file that a tensor is in; None for the model's own."""
    places = {entry.key: entry.value for entry in tensor.external_data}
    return places.get("location") if tensor.data_location == tensor.EXTERNAL else None


def _file_beside(path: Path, name: str) -> Path:
    """A file of weights in the folder of a model, or below it.

    Raises:
        ModelError: it is elsewhere, or missing.
    """
    folder = path.parent.resolve()
    absolute = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor
    file = (folder / name).resolve()
    if absolute or ".." in name.replace("\\", "/").split("/") or not file.is_relative_to(folder):
        raise ModelError(
            f"{path}: keeps weights in {name}, outside of its folder, which is refused; save the "
            "network with its weights in one file, or beside it"
        )
    if not file.is_file():
        raise ModelError(f"{path}: its weights are in {name}, which is missing beside it")
    return file
