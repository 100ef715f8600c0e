"""Import packages that are not always installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from configs.errors import MissingPackageError
from models.quiet import standard_error_silenced


@contextmanager
def packages_needed(what: str, *packages: str) -> Iterator[None]:
    """Import within the block, without what TensorFlow prints as it starts.

    Args:
        what: needs the packages; for the message.
        packages: to install, by name.

    Raises:
        MissingPackageError: an import of the block fails.

    Example:
        with packages_needed("training", "tensorflow"):
            import keras
    """
    try:
        with standard_error_silenced():
            yield
    except ImportError as error:
        raise MissingPackageError(
            f"{what} needs {' and '.join(packages)}, not installed here: "
            f"{sys.executable} -m pip install {' '.join(packages)}"
        ) from error
