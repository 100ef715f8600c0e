"""Decode a video file, and report what is damaged in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import av

from configs.errors import SourceError
from stages.ffmpeg import address_of, of_known_streams, reason_of
from stages.frames import Stated
from stages.read.layout import layout_fault

ONLY_DTS = {"avi"}
"""Containers without presentation timestamps; FFmpeg makes them up."""


HASHED_BYTES = 2**20
"""So many at once."""

TRUNCATION_TOLERANCE_S = 0.5
"""A file that ends this much before its stated end is cut off."""

ONE_PACKET_A_PICTURE = {
    "h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mpeg1video", "mpeg2video",
}  # fmt: skip
"""Codecs with one picture in each packet, as all codecs without references between pictures: lost
pictures can be counted, which decoders may drop silently."""

ZEROS = bytes(256)
"""A packet with so many zeros within it was overwritten or never written, as the codecs below use
every bit or forbid zeros. Their decoders take it for a picture."""

WITHOUT_ZEROS = {"h264", "hevc", "vp8", "vp9", "libdav1d", "av1"}

ABSOLUTE_DURATION = {"matroska,webm", "asf", "nut", "wtv"}
"""Containers that state the time at which they end, rather than for how long they last."""

CHECKED_OTHERWISE = {"mpegts"}
"""Containers in which FFmpeg takes a second file behind the first for damage, unlike ``layout``."""


class Decoder:
    """The first video stream of a file.

    Attributes:
        faults: the damage found so far, in words; whoever reports it clears the list.
        sha256: hash of the file's bytes, after ``rest``; None if it cannot be read.

    Raises:
        SourceError: there is no file, or no video in it that can be decoded.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.faults: list[str] = []
        self.sha256: str | None = None
        self._behind = _Behind(self._hash()), _Behind(self._follow_layout())
        self._layout_fault: str | None = None
        self._path, self._stopped = path, False
        self._container = _open(path)
        try:
            self._stream = _decodable_video_stream(self._container, path)
        except BaseException:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = threads

    def stop(self) -> None:
        """Let ``frames`` end soon, and not take what follows for lost."""
        self._stopped = True

    def close(self) -> None:
        self._container.close()

    @property
    def stated(self) -> Stated:
        """What the film states of itself; once its first frame is decoded."""
        container, stream = self._container, self._stream
        duration_s = (
            float(stream.duration * stream.time_base)
            if stream.duration and stream.time_base
            else (container.duration or 0) / av.time_base
        )
        return replace(
            Stated.of(stream),
            time_base=stream.time_base,
            frames=stream.frames,
            duration_s=duration_s,
            start_s=(container.start_time or 0) / av.time_base,
            only_dts=container.format.name in ONLY_DTS,
            first_dts=stream.start_time or 0,
        )

    def frames(self) -> Iterator[av.VideoFrame]:
        """Every frame that can be decoded, in order of presentation, once."""
        losses = Losses(self._container, self._stream)
        for packet in self._packets():
            losses.read(packet)
            if packet.stream is not self._stream:
                continue
            for each in self._behind:
                each.go_on_to(packet.pos or 0)
            try:
                for frame in packet.decode():
                    losses.decoded(frame)
                    yield frame
            except av.FFmpegError:
                losses.failed(packet)
        self.faults += losses.faults(to_end=not self._stopped)

    def rest(self) -> Iterator[None]:
        """Read what follows the last frame, for the hash and faults, in steps of a moment each."""
        for each in self._behind[:1] if self._stopped else self._behind:
            yield from each.to_end()
        if self._layout_fault and not self._stopped:
            self.faults.append(self._layout_fault)

    def _hash(self) -> Iterator[float]:
        digest = hashlib.sha256()
        with suppress(OSError), self._path.open("rb") as file:
            while content := file.read(HASHED_BYTES):
                digest.update(content)
                yield file.tell() + HASHED_BYTES
            self.sha256 = digest.hexdigest()

    def _follow_layout(self) -> Iterator[float]:
        self._layout_fault = yield from layout_fault(self._path, self._container.format.name)

    def _packets(self) -> Iterator[av.Packet[Any]]:
        """The packets of all streams, as far as the file can be read, or until ``stop``; at last an
        empty one of the video, to flush.

        Other streams are read as well because they may be damaged, too, and because a container may
        state one duration for everything: the video may rightly end before it.
        """
        flushed = False
        try:
            for packet in of_known_streams(self._container.demux()):
                if self._stopped:
                    break
                flushed |= packet.stream is self._stream and _flushes(packet)
                yield packet
        except av.FFmpegError as error:
            self.faults.append(f"reading stopped: {reason_of(error)}")
        if not flushed:
            last = av.Packet()
            last.stream = self._stream
            yield last


def _flushes(packet: av.Packet[Any]) -> bool:
    """Whether a packet is one that PyAV adds at the end; a frame left out is empty, too."""
    return not packet.size and packet.dts is None and packet.pts is None


def _open(path: Path) -> av.container.InputContainer:
    if not path.exists():
        raise SourceError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: the file is empty")
    try:
        return av.open(address_of(path), metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        reason = reason_of(error)
        raise SourceError(f"{path}: not a video that can be opened: {reason}") from error


def _decodable_video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    pictures = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not pictures:
        raise SourceError(f"{path}: no video stream in it, only sound or data")
    stream = pictures[0]
    if stream.codec_context is None:
        raise SourceError(f"{path}: its video codec cannot be decoded here")
    return stream


class _Behind:
    """Goes through a file behind those who read it: what they have just read is still in memory,
    so that the disk is not asked twice.

    Args:
        steps: tell up to which byte they will read next.
    """

    def __init__(self, steps: Iterator[float]) -> None:
        self._steps, self._next = steps, 0.0

    def go_on_to(self, byte: float) -> None:
        while self._next < byte:
            self._next = next(self._steps, inf)

    def to_end(self) -> Iterator[None]:
        while self._next < inf:
            self._next = next(self._steps, inf)
            yield


class Losses:
    """Of one video stream; ``read`` is told of each packet, ``decoded`` of each picture."""

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream) -> None:
        self._container, self._stream = container, stream
        self._codec = stream.codec_context.codec
        self._packets = self._expected = self._pictures = self._failed = 0
        self._has_key = False
        self._first_key_pts: int | None = None
        self._incomplete: dict[str, int] = {}
        self._damaged = 0
        self._interlaced = False
        self._end_s = 0.0

    def read(self, packet: av.Packet[Any]) -> None:
        """Count a packet of any stream, before it is decoded."""
        if not packet.size:
            return
        kind = packet.stream.type
        corrupt = packet.is_corrupt and self._container.format.name not in CHECKED_OTHERWISE
        if corrupt or (packet.stream is self._stream and self._has_hole(packet)):
            self._incomplete[kind] = self._incomplete.get(kind, 0) + 1
        if packet.pts is not None:
            self._end_s = max(
                self._end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base)
            )
        if packet.stream is not self._stream:
            return
        self._packets += 1
        if packet.is_keyframe and not self._has_key:
            self._has_key, self._first_key_pts = True, packet.pts
            # What was before refers to pictures that are not in the file.
            self._expected = self._pictures = self._failed = self._damaged = 0
        if not packet.is_discard and not self._leads(packet) and self._is_shown(packet):
            self._expected += 1

    def decoded(self, frame: av.VideoFrame) -> None:
        """Count a picture."""
        self._interlaced |= frame.interlaced_frame
        if not self._leads(frame):
            self._pictures += 1
            self._damaged += frame.is_corrupt

    def failed(self, packet: av.Packet[Any]) -> None:
        """Count a packet that the decoder refused."""
        self._failed += not self._leads(packet)

    def _leads(self, picture: av.Packet[Any] | av.VideoFrame) -> bool:
        """Whether a picture is shown before the first key frame: it refers to what came before the
        file, so that it is no damage if it cannot be decoded."""
        first = self._first_key_pts
        return first is not None and picture.pts is not None and picture.pts < first

    def _is_shown(self, packet: av.Packet[Any]) -> bool:
        """VP8 keeps pictures that are only referred to in packets of their own (RFC 6386, 9.1)."""
        return self._codec.name != "vp8" or bool(memoryview(packet)[0] & 0x10)

    def _has_hole(self, packet: av.Packet[Any]) -> bool:
        return self._codec.name in WITHOUT_ZEROS and ZEROS in bytes(packet).rstrip(b"\0")

    def faults(self, to_end: bool) -> list[str]:
        """What is lost or damaged, in words, once everything is read.

        Args:
            to_end: the file was read until it ended, so it may have been cut off.
        """
        faults = []
        if lost := self._lost_pictures():
            faults.append(f"{lost} damaged frame(s) could not be decoded")
        # A decoder on several threads does not always notice that a packet lacks its end.
        if damaged := max(self._damaged, self._incomplete.get("video", 0)):
            faults.append(f"{damaged} frame(s) are damaged in part")
        faults += [
            f"{count} packet(s) of {kind} are damaged"
            for kind, count in self._incomplete.items()
            if kind != "video"
        ]
        if not to_end:
            return faults
        stated = self._stated_packets()
        stated_end_s = self._stated_end_s()
        if self._packets < stated:
            faults.append(f"the file is cut off: {self._packets} of {stated} frames are in it")
        elif self._end_s < stated_end_s - TRUNCATION_TOLERANCE_S:
            faults.append(
                f"the file is cut off: it ends at {self._end_s:.1f} s, not at {stated_end_s:.1f} s"
            )
        return faults

    def _lost_pictures(self) -> int:
        # An interlaced picture may be spread over two packets.
        counts = self._codec.name in ONE_PACKET_A_PICTURE or self._codec.intra_only
        if not counts or self._interlaced:
            return self._failed
        return max(0, self._expected - self._pictures)

    def _stated_packets(self) -> int:
        """Of the frames that the container states, those that are not empty: repeated ones are."""
        if self._packets >= self._stream.frames:
            return self._packets
        return sum(entry.size > 0 for entry in self._stream.index_entries)

    def _stated_end_s(self) -> float:
        if self._container.format.name == "avi":  # It states a number of frames instead.
            return 0.0
        start = (
            0 if self._container.format.name in ABSOLUTE_DURATION else self._container.start_time
        )
        return ((start or 0) + (self._container.duration or 0)) / av.time_base
