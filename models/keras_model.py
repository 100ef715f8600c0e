"""Keras networks on disk: load, save, and convert them to ``.tflite``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from configs.cache import cache_folder, filling
from configs.errors import ModelError, first_line
from models.card import card_path, prefix_of, read_card
from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.libraries import packages_needed

if TYPE_CHECKING:
    import keras


def load_keras(path: Path) -> keras.Model:
    """Load a ``.keras`` network of 48x48 grey faces and the seven expressions.

    Raises:
        ModelError: the file is not such a network.
        MissingPackageError: TensorFlow is not installed.
    """
    network = load_any_keras(path)
    expected = (None, FACE_SIZE_PX, FACE_SIZE_PX, 1), (None, len(EMOTIONS))
    found = network.input_shape, network.output_shape
    if found != expected:
        raise ModelError(
            f"{path}: input {found[0]}, output {found[1]}; expected grey faces, {expected[0]}, and "
            f"a probability for each expression, {expected[1]}; for others, give it a card: see "
            "docs/networks.md"
        )
    return network


def load_any_keras(path: Path) -> keras.Model:
    """Load a ``.keras`` network. Code inside the file is never run.

    Raises:
        ModelError: the file is no such network, or has code in it.
        MissingPackageError: TensorFlow is not installed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    with packages_needed(f"{path}: a .keras model", "tensorflow"):
        import keras
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError) as error:
        reason = first_line(error)
        raise ModelError(f"{path}: not a Keras network that can be loaded: {reason}") from error


def probabilities(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """Output of a network for faces, (n, 48, 48) uint8: (n, 7) float32, in its own order."""
    return network.predict(images[..., None], batch_size=256, verbose=0)


def save_compactly(network: keras.Model, path: Path) -> None:
    """Save a network, compressed to less than half its size.

    Its kernels are rounded to bfloat16, the precision in which training multiplied them, also in
    ``network`` itself. Half of their bytes are zero then, which compression removes.
    """
    from keras import ops

    network.set_weights(
        [
            ops.cast(ops.cast(weight, "bfloat16"), "float32") if weight.ndim > 1 else weight
            for weight in network.get_weights()
        ]
    )
    network.save(path)
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def as_tflite(path: Path, cache: Path | None = None) -> Path:
    """The ``.tflite`` file of a model: the file itself, or the converted ``.keras`` network.

    Conversion takes some seconds; its result is kept in ``cache``.

    Args:
        path: a network with its card (``NAME.json``) beside it.
        cache: folder for converted networks, made if absent; by default one in the user's home.

    Raises:
        ModelError: it is a ``.keras`` network that cannot be used.
        MissingPackageError: TensorFlow is not installed.
        OutputError: the cache cannot be written.
    """
    if path.suffix.lower() != ".keras":
        return path
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    card = read_card(path)
    digest = hashlib.sha256(path.read_bytes() + card_path(path).read_bytes()).hexdigest()
    cache = cache or cache_folder("networks")
    converted = cache / f"{path.stem}-{digest[:16]}.tflite"
    if not converted.is_file():
        network = load_keras(path) if card.face.is_own else load_any_keras(path)
        prefix = prefix_of(path) if card.prefix is None else card.prefix
        named = card.model_copy(update={"prefix": prefix})  # The converted file has another name.
        with packages_needed(f"{path}: a .keras model", "tensorflow"):
            from models.to_tflite import convert
        with filling(cache) as unfinished:
            convert(network, unfinished / converted.name, quantised=card.face.is_own)
            text = named.model_dump_json(by_alias=True, exclude_none=True, indent=2)
            converted.with_suffix(".json").write_text(text, encoding="utf-8")
            (unfinished / converted.name).replace(converted)
    return converted
