"""From the sources that a user gives to videos and streams, and their folders for results."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from configs.addresses import URL, hide_addresses, is_live, without_secrets
from configs.cameras import Camera, camera_of, load_cameras
from configs.errors import ConfigError, SourceError
from configs.names import as_text, printable
from configs.schema import ReadSettings, Settings
from pipeline.result_folders import ResultFolders, has_results, place_of, with_numbers
from stages.read.pictures import is_picture, numbered_pictures

VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".wmv", ".flv", ".3gp", ".ogv", ".mjpeg", ".mjpg",
}  # fmt: skip
"""Videos when a folder is searched; a file given by name may have any suffix."""

PART = ReadSettings().model_dump(include={"from_s", "to_s", "every"})
"""Settings that leave frames of a recorded video out, as they are if none is left out."""

CAMERA_LIST_SUFFIXES = {".yaml", ".yml"}

Event = tuple[str, float, float]
"""Something that happens in a video: its name, and when it begins and ends in seconds."""


@dataclass(frozen=True)
class Job:
    """One video to analyse.

    Attributes:
        source: the file; or of numbered pictures, their folder or common name.
        folder: for its results; no other video has the same.
        given: the file as the user gave it, where a node of a cluster has it elsewhere.
        place: then also where it is for the user, as of ``place_of``.
        events: of a study, for its report; no part of what tells videos apart.
    """

    source: Path
    folder: Path
    given: Path | None = None
    place: str | None = None
    events: tuple[Event, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """Of the file, for a terminal."""
        named = self.source.name not in ("", "..")
        return printable(self.source.name if named else self.source.resolve().name)

    @property
    def label(self) -> str:
        """The file as the user gave it, as text."""
        return as_text(self.given or self.source)

    def identity(self) -> dict[str, Any]:
        """Where the file is, its size and its time of change (nanoseconds since the epoch).

        Without the file, the place alone.
        """
        identity: dict[str, Any] = {"path": self.place or place_of(self.source)}
        try:
            files = numbered_pictures(self.source) or [self.source]
            statuses = [file.stat() for file in files]
        except OSError:
            return identity
        return {
            **identity,
            "bytes": sum(status.st_size for status in statuses),
            "changed_ns": max(status.st_mtime_ns for status in statuses),
        }


@dataclass(frozen=True)
class Stream:
    """One live stream to analyse.

    Attributes:
        name: unique among the streams of a run.
        address: as for ``LiveReader``; may hold a password, so it is never shown.
        settings: complete, with its own.
        folder: for its results; what is wished, until ``take_folder`` has made it.
    """

    name: str
    address: str = field(repr=False)
    settings: Settings = field(repr=False)
    folder: Path

    @property
    def source(self) -> str:
        """The address without secrets."""
        return without_secrets(self.address)

    @property
    def label(self) -> str:
        return self.source

    def without_address(self, text: str) -> str:
        """A text about this stream, as of FFmpeg, without what is secret of the address."""
        return hide_addresses(text, [self.address])

    def identity(self) -> None:
        """None: a stream has no identity as a file has."""


def is_camera_source(source: str) -> bool:
    """Whether a source is live: a camera, a network stream or a YAML list of them."""
    return _is_camera_list(source) or is_live(source)


def _is_camera_list(source: str) -> bool:
    return Path(source).suffix.lower() in CAMERA_LIST_SUFFIXES and not URL.match(source)


def find_streams(sources: Sequence[str], settings: Settings, out: Path) -> list[Stream]:
    """The live streams among the sources: cameras, addresses, and YAML lists of them.

    Args:
        settings: for streams without settings of their own.
        out: output folder; each stream's own lies in it.

    Raises:
        ConfigError: a list of cameras is wrong, or a setting is for recorded videos alone.
        UsageError: an address is that of a file, or of nothing that sends live streams.
    """
    cameras: list[tuple[Camera, Settings]] = []
    for source in sources:
        if _is_camera_list(source):
            cameras += load_cameras(Path(source), settings)
        elif is_live(source):
            cameras.append((camera_of(source), settings))
    streams: dict[str, Stream] = {}
    for camera, own_settings in cameras:
        part = own_settings.read.model_dump(include=set(PART))
        if changed := [name for name, value in part.items() if value != PART[name]]:
            raise ConfigError(
                f"{camera.name}: read.{changed[0]} is for recorded videos, not for live streams"
            )
        name = next(name for name in with_numbers(camera.name) if name not in streams)
        streams[name] = Stream(name, camera.address, own_settings, out / name)
    return list(streams.values())


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
    places = ResultFolders()
    problems: list[SourceError] = []
    for source in sources:
        found, unreadable = _videos(source, out, pictures)
        wanted = [
            (video, place)
            for video, place in found
            if Path(source) == video or _wanted(place, include, exclude)
        ]
        problems += unreadable
        if not wanted and not unreadable:
            problems.append(_nothing_in(source))
        for video, place in wanted:
            if video.resolve() not in jobs:
                jobs[video.resolve()] = Job(video, places.take(video, out / place))
    return list(jobs.values()), problems


def _videos(
    source: str, out: Path, pictures: bool
) -> tuple[list[tuple[Path, Path]], list[SourceError]]:
    """Each video of a source with its folder relative to the output folder; what is unreadable."""
    path = Path(source)
    try:
        if not source:  # An empty variable of a shell, which is not the working directory.
            return [], []
        if path.is_dir():
            return _videos_below(path, out, pictures)
        if path.exists() or (pictures and numbered_pictures(path)):
            return [(path, Path(path.name))], []
        matches = map(Path, sorted(glob.glob(source, recursive=True)))  # noqa: PTH207, absolute ones too
        files = [match for match in matches if match.is_file() and not has_results(match.parent)]
        return [(match, Path(match.name)) for match in files], []
    except (OSError, ValueError) as error:  # Such as a name that is too long.
        return [], [_unreadable(without_secrets(source), error)]


def _videos_below(
    root: Path, out: Path, pictures: bool
) -> tuple[list[tuple[Path, Path]], list[SourceError]]:
    """The videos of a folder; not those of the output folder, of any results, or hidden ones."""
    videos: list[tuple[Path, Path]] = []
    problems: list[SourceError] = []

    def note(error: OSError) -> None:
        problems.append(_unreadable(Path(error.filename), error))

    output = out.resolve()
    for name, folders, files in os.walk(root, onerror=note):
        folder = Path(name)
        if has_results(folder):
            folders.clear()
            continue
        folders[:] = [
            below for below in sorted(folders)
            if not below.startswith(".") and (folder / below).resolve() != output
        ]  # fmt: skip
        if pictures and numbered_pictures(folder):
            videos.append((folder, Path(root.resolve().name) / folder.relative_to(root)))
        for video in (folder / file for file in files if not file.startswith(".")):
            try:
                if video.suffix.lower() in VIDEO_SUFFIXES and video.is_file():
                    videos.append((video, video.relative_to(root)))
            except OSError as error:
                problems.append(_unreadable(video, error))
    return sorted(videos), problems


def _unreadable(path: Path | str, error: Exception) -> SourceError:
    reason = getattr(error, "strerror", None) or str(error)
    return SourceError(f"{path}: cannot be read: {reason}; what is in it was left out")


def _wanted(place: Path, include: Sequence[str], exclude: Sequence[str]) -> bool:
    def matches(patterns: Sequence[str]) -> bool:
        names = (place.name, place.as_posix())
        return any(fnmatch(name, pattern) for pattern in patterns for name in names)

    return (not include or matches(include)) and not matches(exclude)


def _nothing_in(source: str) -> SourceError:
    if not source:
        return SourceError("'': an empty name is no source")
    if pictures := len(numbered_pictures(Path(source))):
        return SourceError(
            f"{source}: {pictures} numbered pictures, but no video; --set read.rate=25 takes them "
            "as a film of 25 pictures a second"
        )
    shown = without_secrets(source)
    if Path(source).is_dir():
        hint = ""
        if any(map(is_picture, Path(source).iterdir())):
            hint = f"; of pictures, name those of one film: '{source.rstrip('/')}/frame%04d.jpg'"
        return SourceError(f"{source}: no video in this folder, or none that is wanted{hint}")
    if re.fullmatch("0[0-9]+", source):
        return SourceError(f"{source}: no such file; the number of a camera has no zeros before it")
    if glob.has_magic(source):
        return SourceError(f"{shown}: no file matches this pattern")
    return SourceError(f"{shown}: no such file or folder")
