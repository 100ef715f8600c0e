"""Segments that a user corrected in ELAN, brought back to their videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from configs.errors import UserTableError
from configs.names import as_text
from pipeline.results.exports.elan_corrections import (
    keep_corrected,
    linked_files,
    read_corrected,
    segments_in,
    tiers_of,
)
from pipeline.study.annotations import Study
from pipeline.study.videos import Video


def corrected(paths: Sequence[Path], videos: Sequence[Video], study: Study) -> dict[Path, Video]:
    """The videos that files of ELAN are of, their summaries noting the correction.

    Each file is copied into its video's folder, once all of them are right.

    Raises:
        UserTableError: a file cannot be read, is of no video, or has what is no expression.
        SourceError: the table of a video cannot be read, or a copy not be written.
    """
    found: dict[Path, Video] = {}
    for path in paths:
        document = read_corrected(path)
        video = _video_of(path, [path.resolve(), *linked_files(document, path)], videos)
        if any(other.name == video.name for other in found.values()):
            raise UserTableError([f"{path}: {video.name} has a file already; give one of them"])
        tiers = tiers_of(document, path, video.tracks, study.names_of(video))
        segments_in(path, tiers, video.summary.video["start_s"], video.timeline({}))
        note = {
            "file": as_text(path.name),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "tiers": tiers,
        }
        found[path] = replace(video, summary=replace(video.summary, by_hand=note))
    for path, video in found.items():
        keep_corrected(path, video.folder)
    return found


def _video_of(path: Path, files: Sequence[Path], videos: Sequence[Video]) -> Video:
    """The video in whose folder a file lies, or one of its media; or that one of these is."""
    folders = {video.folder.resolve(): video for video in videos if video.has_table}
    sources = {(video.summary.input or {}).get("path"): video for video in folders.values()}
    for file in files:
        video = folders.get(file.parent) or sources.get(as_text(file))
        if video is not None:
            return video
    raise UserTableError(
        [
            f"{path}: it names no video of this output folder; put it into the video's folder, "
            "beside summary.json"
        ]
    )
