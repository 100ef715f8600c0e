"""From what a user types as SOURCE to the videos to analyse, and where each one's results go."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SourceError, UsageError

VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".wmv", ".flv", ".3gp", ".ogv", ".mjpeg", ".mjpg",
}  # fmt: skip
"""What counts as a video when a folder is searched; a file given by name may be called anything."""

URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """One video to analyse.

    Attributes:
        source: the file.
        folder: where its results go; a folder of its own.
    """

    source: Path
    folder: Path

    @property
    def name(self) -> str:
        return self.source.name


def find_jobs(sources: Sequence[str], out: Path) -> tuple[list[Job], list[SourceError]]:
    """The videos behind the sources, in order, each once; and the sources that hold none.

    Args:
        sources: files, folders (searched for videos, with all below them) and glob patterns.
        out: folder below which each video gets one of its own, named after its file; the tree
            below a folder that was searched is kept.

    Raises:
        UsageError: a source is not of a kind that can be analysed.
    """
    jobs: dict[Path, Job] = {}
    taken: set[Path] = set()
    problems: list[SourceError] = []
    for source in sources:
        if source.isdigit() or URL.match(source):
            raise UsageError(f"{source}: cameras and streams cannot be analysed yet, only files")
        found = list(_videos(source))
        if not found:
            problems.append(_nothing_in(source))
        for video, place in found:
            if video.resolve() not in jobs:
                folder = _free(out / place, taken)
                taken.add(folder)
                jobs[video.resolve()] = Job(video, folder)
    return list(jobs.values()), problems


def _videos(source: str) -> Iterator[tuple[Path, Path]]:
    """Each video of a source, and its place below the output folder."""
    path = Path(source)
    if path.is_dir():
        for video in sorted(path.rglob("*")):
            if video.suffix.lower() in VIDEO_SUFFIXES and video.is_file():
                yield video, video.relative_to(path)
    elif path.exists():
        yield path, Path(path.name)
    else:
        for match in sorted(glob.glob(source, recursive=True)):  # noqa: PTH207, absolute ones too
            if Path(match).is_file():
                yield Path(match), Path(Path(match).name)


def _nothing_in(source: str) -> SourceError:
    if Path(source).is_dir():
        return SourceError(f"{source}: no video in this folder")
    if glob.has_magic(source):
        return SourceError(f"{source}: no file matches this pattern")
    return SourceError(f"{source}: no such file or folder")


def _free(folder: Path, taken: set[Path]) -> Path:
    """The folder, or one with a number added if another video has it."""
    number, candidate = 1, folder
    while candidate in taken:
        number += 1
        candidate = folder.with_name(f"{folder.stem}-{number}{folder.suffix}")
    return candidate
