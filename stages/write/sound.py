"""Take a source's sound along into the annotated video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av

COPIED_CODECS = {"aac", "mp3", "mp3float", "opus", "libopus", "flac"}
"""What both MP4 and browsers take as it is; everything else becomes AAC."""

AAC_RATES = av.Codec("aac", "w").audio_rates or ()
FALLBACK_RATE = 48000
"""Samples a second of sound whose own rate AAC does not know."""


class Sound:
    """The first audio stream of a file, written into a container along with its pictures.

    No source, one without sound, or one whose sound is damaged, gives what there is.
    """

    def __init__(self, source: Path | None, container: av.container.OutputContainer) -> None:
        self._output = container
        self._packets: Iterator[av.Packet] = iter(())
        self._next: av.Packet | None = None
        self._source: av.container.InputContainer | None = None
        if source is None:
            return
        self._source = av.open(str(source), metadata_errors="replace")
        stream = self._source.streams.audio[0] if self._source.streams.audio else None
        if stream is None or stream.codec_context is None:
            return
        self._start_s = (self._source.start_time or 0) / av.time_base
        if stream.codec_context.name in COPIED_CODECS:
            self._packets = self._copied(stream, container.add_stream_from_template(stream))
        else:
            self._packets = self._encoded(stream)
        self._advance()

    def write_until(self, time_s: float) -> None:
        """Write what is heard before a time from the file's start, so that players find both."""
        while self._next is not None and _start_s(self._next) <= time_s:
            with suppress(ValueError):  # A damaged packet; a full disk would be an OSError.
                self._output.mux(self._next)
            self._advance()

    def finish(self) -> None:
        """Write the rest, and close the source."""
        self.write_until(float("inf"))
        self.close()

    def close(self) -> None:
        """Write no more."""
        self._next = None
        if self._source is not None:
            self._source.close()

    def _advance(self) -> None:
        try:
            self._next = next(self._packets, None)
        except (av.FFmpegError, ValueError):  # Such as a number of channels that changes.
            self._next = None

    def _demux(self, stream: av.AudioStream) -> Iterator[av.Packet[av.AudioStream]]:
        assert self._source is not None
        return self._source.demux(stream)

    def _copied(self, stream: av.AudioStream, target: av.AudioStream) -> Iterator[av.Packet]:
        for packet in self._demux(stream):
            if packet.dts is None or packet.pts is None:
                continue
            shift = round(self._start_s / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            packet.stream = target
            yield packet

    def _encoded(self, stream: av.AudioStream) -> Iterator[av.Packet]:
        """As AAC, in stereo at most: what PCM files leave unsaid, encoders want to know."""
        rate = stream.codec_context.sample_rate
        target = self._output.add_stream(
            "aac",
            rate=rate if rate in AAC_RATES else FALLBACK_RATE,
            layout="mono" if stream.codec_context.channels == 1 else "stereo",
        )
        return self._encode(stream, target)

    def _encode(self, stream: av.AudioStream, target: av.AudioStream) -> Iterator[av.Packet]:
        for packet in self._demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is not None and frame.time_base is not None:
                    frame.pts -= round(self._start_s / frame.time_base)
                yield from target.encode(frame)
        yield from target.encode(None)


def _start_s(packet: av.Packet) -> float:
    return float((packet.pts or 0) * packet.time_base)
