"""Decode a video file, and report what is damaged in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

from configs.errors import SourceError
from stages.files import address_of, reason_of
from stages.packets import of_known_streams
from stages.read.layout import layout_fault
from stages.read.losses import Losses
from stages.read.source import Stated

ONLY_DTS = {"avi"}
"""Containers without presentation timestamps; FFmpeg makes them up."""


class Decoder:
    """The first video stream of a file; see ``FrameSource``.

    Raises:
        SourceError: there is no file, or no video in it that can be decoded.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.faults: list[str] = []
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
        """As in ``FrameSource``."""
        self._stopped = True

    def close(self) -> None:
        self._container.close()

    @property
    def stated(self) -> Stated:
        container, stream = self._container, self._stream
        context = stream.codec_context
        duration_s = (
            float(stream.duration * stream.time_base)
            if stream.duration and stream.time_base
            else (container.duration or 0) / av.time_base
        )
        return Stated(
            time_base=stream.time_base,
            rate=stream.average_rate or stream.guessed_rate,
            frames=stream.frames,
            duration_s=duration_s,
            start_s=(container.start_time or 0) / av.time_base,
            codec=context.name,
            sample_aspect=stream.sample_aspect_ratio,
            only_dts=container.format.name in ONLY_DTS,
            first_dts=stream.start_time or 0,
            colorspace=context.colorspace,
            color_primaries=context.color_primaries,
            color_trc=context.color_trc,
        )

    def frames(self) -> Iterator[av.VideoFrame]:
        losses = Losses(self._container, self._stream)
        for packet in self._packets():
            losses.read(packet)
            if packet.stream is not self._stream:
                continue
            try:
                for frame in packet.decode():
                    losses.decoded(frame)
                    yield frame
            except av.FFmpegError:
                losses.failed(packet)
        self.faults += losses.faults(to_end=not self._stopped)
        if self._stopped:
            return
        if fault := layout_fault(self._path, self._container.format.name):
            self.faults.append(fault)

    def _packets(self) -> Iterator[av.Packet]:
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


def _flushes(packet: av.Packet) -> bool:
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
