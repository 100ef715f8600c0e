"""Numbered pictures in a folder, taken as a film."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av

from configs.errors import SourceError
from stages.ffmpeg import reason_of
from stages.frames import Stated

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}

PLACEHOLDER = re.compile(r"%0?\d*d")

TIME_BASE = Fraction(1, 90_000)


def is_picture(file: Path) -> bool:
    """Whether a file is one, by its name."""
    return file.suffix.lower() in PICTURE_SUFFIXES


def numbered_pictures(path: Path) -> list[Path]:
    """The pictures of a sequence, by number; none if there is no sequence.

    Args:
        path: a folder whose pictures are called alike but for a number at the end, such as
            ``frame0001.jpg``; or their common name, with ``%04d`` or the like for the number.
    """
    if path.is_file():
        return []
    if path.is_dir():
        folder, pattern = path, r"([^.].*?|)(\d+)(\.\w+)"
    elif PLACEHOLDER.search(path.name):
        before, after = PLACEHOLDER.split(path.name, maxsplit=1)
        folder, pattern = path.parent, rf"({re.escape(before)})(\d+)({re.escape(after)})"
    else:
        return []
    found = [
        (match[1], match[3], int(match[2]), file)
        for file in (folder.iterdir() if folder.is_dir() else ())
        if is_picture(file) and (match := re.fullmatch(pattern, file.name))
    ]
    one_sequence = len({(before, after) for before, after, _, _ in found}) == 1
    return [file for *_, file in sorted(found)] if one_sequence and len(found) > 1 else []


class Pictures:
    """Numbered pictures, as ``Decoder`` of a file. One that is missing or broken is left out.

    Args:
        rate: pictures per second.

    Raises:
        SourceError: there are none, or it is not said how fast they follow one another.
    """

    def __init__(self, path: Path, rate: float | None) -> None:
        self.faults: list[str] = []
        self.sha256: str | None = None
        self._stopped = False
        self._files = numbered_pictures(path)
        if not self._files:
            raise SourceError(f"{path}: no numbered pictures, such as frame0001.jpg")
        if rate is None:
            raise SourceError(
                f"{path}: {len(self._files)} numbered pictures; how many are a second of film? "
                "Such as --set read.rate=25"
            )
        self._rate = Fraction(rate).limit_denominator(1001)
        self.stated = Stated(
            codec=self._files[0].suffix.lower().lstrip("."),
            rate=self._rate,
            time_base=TIME_BASE,
            frames=len(self._files),
            duration_s=float(len(self._files) / self._rate),
        )

    def frames(self) -> Iterator[av.VideoFrame]:
        """As of ``Decoder``."""
        digest, unread = hashlib.sha256(), 0
        for index, file in enumerate(self._files):
            try:
                content = file.read_bytes()
                digest.update(content)
            except OSError as error:
                unread += 1
                self.faults.append(f"{file.name} could not be read: {reason_of(error)}")
                continue
            if self._stopped:
                continue
            try:
                frame = _decoded(content)
            except (av.FFmpegError, OSError, StopIteration) as error:
                self.faults.append(f"{file.name} could not be decoded: {reason_of(error)}")
                continue
            if frame.is_corrupt:
                self.faults.append(f"{file.name} is damaged in part")
            frame.time_base, frame.pts = TIME_BASE, round(index / self._rate / TIME_BASE)
            yield frame
        self.sha256 = None if unread else digest.hexdigest()

    def rest(self) -> Iterator[None]:
        """As of ``Decoder``; nothing follows the last picture."""
        yield from ()

    def stop(self) -> None:
        """As of ``Decoder``."""
        self._stopped = True

    def close(self) -> None:
        """Nothing is left open."""


def _decoded(content: bytes) -> av.VideoFrame:
    with av.open(BytesIO(content), "r") as container:
        return next(container.decode(video=0))
