"""FFmpeg's errors in words."""

from __future__ import annotations


def reason_of(error: Exception) -> str:
    """The reason that FFmpeg or the system gives."""
    return getattr(error, "strerror", None) or str(error)
