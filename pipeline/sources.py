"""From the sources that a user gives to videos and streams, and their folders for results."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from configs.cameras import Camera, camera_of, is_live, load_cameras, without_secrets
from configs.errors import SourceError
from configs.schema import Settings
from stages.read.pictures import numbered_pictures

VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".wmv", ".flv", ".3gp", ".ogv", ".mjpeg", ".mjpg",
}  # fmt: skip
"""Videos when a folder is searched; a file given by name may have any suffix."""

CAMERA_LIST_SUFFIXES = {".yaml", ".yml"}


@dataclass(frozen=True)
class Job:
    """One video to analyse.

    Attributes:
        source: the file; or of numbered pictures, their folder or common name.
        folder: for its results; no other video has the same.
    """

    source: Path
    folder: Path

    @property
    def name(self) -> str:
        return self.source.name

    def identity(self) -> dict[str, int] | None:
        """Size and time of change (nanoseconds since the epoch); None without the file."""
        try:
            statuses = [file.stat() for file in self._files()]
        except OSError:
            return None
        return {
            "bytes": sum(status.st_size for status in statuses),
            "changed_ns": max(status.st_mtime_ns for status in statuses),
        }

    def sha256(self) -> str | None:
        """Hash of the file; None if it cannot be read any more."""
        try:
            digest = hashlib.sha256()
            for file in self._files():
                with file.open("rb") as content:
                    hashlib.file_digest(content, lambda: digest)
            return digest.hexdigest()
        except OSError:
            return None

    def _files(self) -> list[Path]:
        return numbered_pictures(self.source) or [self.source]


@dataclass(frozen=True)
class Stream:
    """One live stream to analyse.

    Attributes:
        name: unique among the streams of a run.
        address: as for ``LiveReader``; may hold a password, so it is never shown.
        settings: complete, with its own.
        folder: for its results; no other stream has the same.
    """

    name: str
    address: str = field(repr=False)
    settings: Settings = field(repr=False)
    folder: Path

    @property
    def source(self) -> str:
        """The address without secrets."""
        return without_secrets(self.address)

    def identity(self) -> None:
        """None: a stream has no identity as a file has."""

    def sha256(self) -> None:
        """None: a stream is not stored."""


def is_camera_source(source: str) -> bool:
    """Whether a source is live: a camera, a network stream or a YAML list of them."""
    return Path(source).suffix.lower() in CAMERA_LIST_SUFFIXES or is_live(source)


def find_streams(sources: Sequence[str], settings: Settings, out: Path) -> list[Stream]:
    """The live streams among the sources: cameras, addresses, and YAML lists of them.

    Args:
        settings: for streams without settings of their own.
        out: output folder; each stream gets a folder in it. A recording cannot be repeated, so an
            existing one is kept, and the folder of the new one gets a number.

    Raises:
        ConfigError: a list of cameras is wrong.
    """
    cameras: list[tuple[Camera, Settings]] = []
    for source in sources:
        if Path(source).suffix.lower() in CAMERA_LIST_SUFFIXES:
            cameras += load_cameras(Path(source), settings)
        elif is_live(source):
            cameras.append((camera_of(source), settings))
    streams: dict[str, Stream] = {}
    for camera, own_settings in cameras:
        name = _numbered(camera.name, streams.keys())
        folder = unused_folder(out / name)
        streams[name] = Stream(name, camera.address, own_settings, folder)
    return list(streams.values())


def unused_folder(folder: Path) -> Path:
    """The folder, or one with a number added if it is not empty."""
    taken = {
        other.name
        for other in folder.parent.glob("*")
        if not other.is_dir() or any(other.iterdir())
    }
    return folder.with_name(_numbered(folder.name, taken))


def _numbered(name: str, taken: Collection[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def find_jobs(
    sources: Sequence[str],
    out: Path,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    pictures: bool = False,
) -> tuple[list[Job], list[SourceError]]:
    """The videos of the sources, in order, each once; and errors for sources without any.

    Args:
        sources: files, folders (searched recursively) and glob patterns.
        out: output folder; each video gets a folder in it, named after its file, with the
            subfolders of a folder that was searched.
        include, exclude: patterns for the files of folders and patterns: they must match one of the
            first, if there are any, and none of the second. A pattern matches the name of a file,
            or its path below the folder.
        pictures: a folder of numbered pictures is a video, too.
    """
    jobs: dict[Path, Job] = {}
    taken: set[Path] = set()
    problems: list[SourceError] = []
    for source in sources:
        found = [
            (video, place)
            for video, place in (*_videos(source), *_films_of_pictures(Path(source), pictures))
            if Path(source) == video or _wanted(place, include, exclude)
        ]
        if not found:
            problems.append(_nothing_in(source))
        for video, place in found:
            if video.resolve() not in jobs:
                folder = _free(out / place, taken)
                taken.add(folder)
                jobs[video.resolve()] = Job(video, folder)
    return list(jobs.values()), problems


def _videos(source: str) -> Iterator[tuple[Path, Path]]:
    """Each video of a source, and its folder relative to the output folder."""
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


def _films_of_pictures(source: Path, in_folders: bool) -> Iterator[tuple[Path, Path]]:
    """Numbered pictures that are named, or are in a folder: see ``_videos``."""
    if source.is_dir():
        below = sorted(path for path in source.rglob("*") if path.is_dir()) if in_folders else []
        for folder in (source, *below) if in_folders else ():
            if numbered_pictures(folder):
                yield folder, Path(source.resolve().name) / folder.relative_to(source)
    elif numbered_pictures(source):
        yield source, Path(source.name)


def _wanted(place: Path, include: Sequence[str], exclude: Sequence[str]) -> bool:
    def matches(patterns: Sequence[str]) -> bool:
        names = (place.name, place.as_posix())
        return any(fnmatch(name, pattern) for pattern in patterns for name in names)

    return (not include or matches(include)) and not matches(exclude)


def _nothing_in(source: str) -> SourceError:
    if pictures := len(numbered_pictures(Path(source))):
        return SourceError(
            f"{source}: {pictures} numbered pictures, but no video; --set read.rate=25 takes them "
            "as a film of 25 pictures a second"
        )
    if Path(source).is_dir():
        return SourceError(f"{source}: no video in this folder, or none that is wanted")
    if glob.has_magic(source):
        return SourceError(f"{source}: no file matches this pattern")
    return SourceError(f"{source}: no such file or folder")


def _free(folder: Path, taken: set[Path]) -> Path:
    """The folder, or one with a number added if another video has taken it."""
    number, candidate = 1, folder
    while candidate in taken:
        number += 1
        candidate = folder.with_name(f"{folder.stem}-{number}{folder.suffix}")
    return candidate
