"""Addresses of files for FFmpeg, and what it says of them."""

from __future__ import annotations

from pathlib import Path


def address_of(path: Path) -> str:
    """A file's address for PyAV: absolute, as FFmpeg takes what precedes a colon for a protocol."""
    return str(path.absolute())


def reason_of(error: BaseException) -> str:
    """The reason that FFmpeg or the system gives."""
    return getattr(error, "strerror", None) or str(error)
