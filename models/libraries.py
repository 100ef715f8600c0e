"""Import packages that are not always installed, and silence what C++ libraries print."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock

from configs.errors import MissingPackageError


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


_one_thread = RLock()


@contextmanager
def standard_error_silenced() -> Iterator[None]:
    """Discard what libraries print from C and C++; Python's own standard error is untouched.

    LiteRT and TensorFlow announce their delegates and devices there; the first has no switch to
    stop it, the second's works only once it is imported. C's variable ``stderr`` is changed, and
    not the process's file descriptor 2, as other threads of the program may be printing. Windows
    has no such variable, so there the libraries stay heard.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.platform == "win32":
        yield
        return
    c = ctypes.CDLL(None)
    stderr = ctypes.c_void_p.in_dll(c, "__stderrp" if sys.platform == "darwin" else "stderr")
    with _one_thread:
        kept = stderr.value
        stderr.value = _nowhere() or kept
        try:
            yield
        finally:
            stderr.value = kept


@cache
def _nowhere() -> int | None:
    """Of C's type ``FILE*``; never closed, as another thread may be printing to it."""
    fopen = ctypes.CDLL(None).fopen
    fopen.restype = ctypes.c_void_p
    return fopen(os.devnull.encode(), b"w")
