"""Take a source's sound along into the annotated video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

COPIED_CODECS = {"aac", "mp3", "mp3float", "opus", "flac"}
"""What both MP4 and browsers take as it is; everything else becomes AAC."""


class Sound:
    """The first audio stream of a file, written into a container along with its pictures.

    A source without sound, or whose sound is damaged, gives what there is.
    """

    def __init__(self, source: Path, container: av.container.OutputContainer) -> None:
        self._output = container
        self._source = av.open(str(source), metadata_errors="replace")
        self._packets: Iterator[av.Packet] = iter(())
        self._next: av.Packet | None = None
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
        while self._next is not None and self._next.pts * self._next.time_base <= time_s:
            self._output.mux(self._next)
            self._advance()

    def finish(self) -> None:
        """Write the rest, and close the source."""
        self.write_until(float("inf"))
        self.close()

    def close(self) -> None:
        self._source.close()

    def _advance(self) -> None:
        try:
            self._next = next(self._packets, None)
        except av.FFmpegError:
            self._next = None

    def _copied(self, stream: av.AudioStream, target: av.AudioStream) -> Iterator[av.Packet]:
        shift = round(self._start_s / stream.time_base)
        for packet in self._source.demux(stream):
            if packet.dts is None or packet.pts is None:
                continue
            packet.pts -= shift
            packet.dts -= shift
            packet.stream = target
            yield packet

    def _encoded(self, stream: av.AudioStream) -> Iterator[av.Packet]:
        rate = stream.codec_context.sample_rate
        target = self._output.add_stream("aac", rate=rate, layout=stream.codec_context.layout)
        resampler = av.AudioResampler("fltp", stream.codec_context.layout, rate)
        return self._encode(stream, target, resampler)

    def _encode(
        self, stream: av.AudioStream, target: av.AudioStream, resampler: av.AudioResampler
    ) -> Iterator[av.Packet]:
        for packet in self._source.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is not None:
                    frame.pts -= round(self._start_s / frame.time_base)
                for resampled in resampler.resample(frame):
                    yield from target.encode(resampled)
        for resampled in resampler.resample(None):
            yield from target.encode(resampled)
        yield from target.encode(None)
