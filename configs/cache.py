"""The user's cache folder, for files that can be fetched or made again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from configs.errors import OutputError


def cache_folder(kind: str) -> Path:
    """The folder for files of one kind; it need not exist.

    It lies where the system has such folders: in ``~/.cache`` or ``$XDG_CACHE_HOME`` on Linux, in
    ``~/Library/Caches`` on macOS, in ``%LOCALAPPDATA%`` on Windows.
    """
    return platformdirs.user_cache_path("emotion-timelines", appauthor=False) / kind


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """A temporary folder in ``folder``, which is made if absent, to make files ready in.

    Raises:
        OutputError: for each ``OSError`` of the block, as the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished.") as unfinished:
            yield Path(unfinished)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{folder}: the cache cannot be written: {reason}; free some space, mend the "
            "permissions or, except on Windows, set XDG_CACHE_HOME to another folder"
        ) from error
