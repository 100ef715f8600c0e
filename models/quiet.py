"""Silence what C++ libraries print."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def standard_error_silenced() -> Iterator[None]:
    """Discard standard error, also what is written from C++, which Python's own redirection misses.

    LiteRT and TensorFlow announce their delegates and devices there; the first has no switch to
    stop it, the second's works only once it is imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
