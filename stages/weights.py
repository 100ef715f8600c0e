"""Find network weights inside other packages, without importing those."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from configs.errors import ModelError


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
