"""Decode a video file, and report what is damaged in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

from configs.errors import SourceError
from stages.files import address_of

TRUNCATION_TOLERANCE_S = 0.5
"""A file that ends this much before its stated end is cut off."""

TRANSPORT_PACKET_BYTES = 188, 192, 204
"""Size of an MPEG transport stream's packets (ISO/IEC 13818-1): plain, with a timestamp (Blu-ray's
M2TS), or with error correction (DVB)."""

ONE_PACKET_A_PICTURE = {"h264", "hevc"}
"""Codecs whose decoders drop damaged frames silently, so that frames have to be counted."""


class Decoder:
    """The first video stream of a file, opened; a context manager.

    Attributes:
        container: the opened file.
        stream: its video stream.
        faults: the damage found so far, in words; whoever reports it clears the list.

    Raises:
        SourceError: there is no file, or no video in it that can be decoded.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.faults: list[str] = []
        self.container = _open(path)
        try:
            self.stream = _decodable_video_stream(self.container, path)
        except BaseException:
            self.container.close()
            raise
        self.stream.thread_type = "AUTO"
        self.stream.codec_context.thread_count = threads

    def close(self) -> None:
        self.container.close()

    def frames(self) -> Iterator[av.VideoFrame]:
        """Every frame that can be decoded, in order of presentation, once."""
        packets = pictures = expected_pictures = 0
        broken_packets = incomplete_packets = damaged_pictures = 0
        interlaced = False
        end_s = 0.0
        for packet in self._packets():
            if packet.size and packet.pts is not None:
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream is not self.stream:
                continue
            packets += packet.size > 0
            expected_pictures += packet.size > 0 and not packet.is_discard
            try:
                for frame in packet.decode():
                    pictures += 1
                    damaged_pictures += frame.is_corrupt
                    interlaced |= frame.interlaced_frame
                    yield frame
            except av.FFmpegError:
                broken_packets += 1
            else:
                incomplete_packets += packet.is_corrupt
        # An interlaced picture may be spread over two packets.
        counts = self.stream.codec_context.name in ONE_PACKET_A_PICTURE and not interlaced
        lost = expected_pictures - pictures if counts else broken_packets
        stated_end_s = self._stated_end_s()
        if lost > 0 or broken_packets:
            self.faults.append(f"{max(lost, broken_packets)} damaged frame(s) could not be decoded")
        # A decoder on several threads does not always notice that a packet lacks its end.
        if damaged := max(damaged_pictures, incomplete_packets):
            self.faults.append(f"{damaged} frame(s) are damaged in part")
        if packets < self.stream.frames:
            self.faults.append(
                f"the file is cut off: {packets} of {self.stream.frames} frames are in it"
            )
        elif end_s < stated_end_s - TRUNCATION_TOLERANCE_S:
            self.faults.append(
                f"the file is cut off: it ends at {end_s:.1f} s, not at {stated_end_s:.1f} s"
            )
        elif self.container.format.name == "mpegts" and all(
            self.container.size % size for size in TRANSPORT_PACKET_BYTES
        ):
            self.faults.append("the file is cut off: it ends or begins within a transport packet")

    def _packets(self) -> Iterator[av.Packet]:
        """Video and audio packets, as far as the file can be read; at last an empty one, to flush.

        Audio is read as well because containers like Matroska state one duration for everything:
        the video may rightly end before it.
        """
        flushed = False
        try:
            for packet in self.container.demux([self.stream, *self.container.streams.audio]):
                flushed |= packet.stream is self.stream and not packet.size
                yield packet
        except av.FFmpegError as error:
            self.faults.append(f"reading stopped: {reason_of(error)}")
        if not flushed:
            last = av.Packet()
            last.stream = self.stream
            yield last

    def _stated_end_s(self) -> float:
        return ((self.container.start_time or 0) + (self.container.duration or 0)) / av.time_base


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


def reason_of(error: Exception) -> str:
    """The reason that FFmpeg or the system gives."""
    return getattr(error, "strerror", None) or str(error)
