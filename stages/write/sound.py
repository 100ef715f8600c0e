"""Copy the sound of a source into the annotated video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from math import inf
from pathlib import Path

import av

from stages.files import address_of, reason_of

COPIED_CODECS = {"aac", "mp3", "mp3float", "opus", "libopus", "flac"}
"""Copied unchanged, as MP4 and browsers take them; every other codec becomes AAC."""

LEAST_MP3_RATE = 16000
"""MP4 holds no MP3 of fewer samples per second."""

AAC_RATES = av.Codec("aac", "w").audio_rates or ()
FALLBACK_RATE = 48000
"""Samples per second, where AAC does not support the source's own rate."""


class Sound:
    """The first audio stream of a file, interleaved with the frames of an output.

    Without a source, or one without sound, nothing is written; of damaged sound, what can be read.

    Args:
        may_copy: whether packets may be copied unchanged, where their codec allows it.
        from_s, to_s: the part that is copied, in seconds from the start of the file.

    Attributes:
        problem: why there is no sound although the source has some, in words.
    """

    def __init__(
        self,
        source: Path | None,
        container: av.container.OutputContainer,
        may_copy: bool = True,
        from_s: float = -inf,
        to_s: float = inf,
    ) -> None:
        self._output, self._from_s, self._to_s = container, from_s, to_s
        self._packets: Iterator[av.Packet] = iter(())
        self._next: av.Packet | None = None
        self._source: av.container.InputContainer | None = None
        self._written = False
        self.problem: str | None = None
        if source is None:
            return
        self._address = address_of(source)
        self._source = av.open(self._address, metadata_errors="replace")
        stream = self._source.streams.audio[0] if self._source.streams.audio else None
        # A stream may be announced, but have no packets from which its rate would be known.
        if stream is None or stream.codec_context is None or not stream.codec_context.sample_rate:
            return
        self._start_s = (self._source.start_time or 0) / av.time_base
        try:
            if may_copy and _can_be_copied(stream.codec_context):
                self._packets = self._copied(stream, container.add_stream_from_template(stream))
            else:
                self._packets = self._encoded(stream)
        except (av.FFmpegError, ValueError) as error:
            self.problem = reason_of(error)
        self._advance()

    def write_until(self, time_s: float) -> None:
        """Write the sound up to a time, in seconds from the start of the file."""
        while self._next is not None and _start_s(self._next) <= time_s:
            with suppress(ValueError):  # A damaged packet; a full disk would be an OSError.
                self._output.mux(self._next)
                self._written = True
            self._advance()

    def finish(self) -> None:
        """Write the rest, and close the source."""
        self.write_until(self._to_s)
        self.close()

    def close(self) -> None:
        """Write nothing more."""
        self._next = None
        if self._source is not None:
            self._source.close()

    def _advance(self) -> None:
        try:
            self._next = next(self._packets, None)
        except (av.FFmpegError, ValueError) as error:  # Such as a change in the number of channels.
            self._next = None
            if not self._written:
                self.problem = reason_of(error)

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
            if _start_s(packet) < self._from_s:
                continue
            packet.stream = target
            yield packet

    def _encoded(self, stream: av.AudioStream) -> Iterator[av.Packet]:
        """As AAC, in mono or stereo: PCM files may not state the layout that the encoder needs."""
        context = stream.codec_context
        rate = context.sample_rate if context.sample_rate in AAC_RATES else FALLBACK_RATE
        assert self._source is not None
        if "mov" in self._source.format.name and context.name.startswith("pcm_"):
            frames = _mixed_down(self._address, stream.index, rate)
            first = next(frames, None)
            if first is None:
                return iter(())
            frames, mono = chain([first], frames), first.layout.nb_channels == 1
        else:
            frames, mono = self._decoded(stream), context.channels == 1
        target = self._output.add_stream("aac", rate=rate, layout="mono" if mono else "stereo")
        return self._encode(frames, target)

    def _decoded(self, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
        for packet in self._demux(stream):
            with suppress(av.FFmpegError):
                yield from packet.decode()

    def _encode(
        self, frames: Iterator[av.AudioFrame], target: av.AudioStream
    ) -> Iterator[av.Packet]:
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(self._start_s / frame.time_base)
                if frame.pts * frame.time_base < self._from_s:
                    continue
            yield from target.encode(frame)
        yield from target.encode(None)


def _can_be_copied(context: av.AudioCodecContext) -> bool:
    if context.name.startswith("mp3") and context.sample_rate < LEAST_MP3_RATE:
        return False
    return context.name in COPIED_CODECS


def _mixed_down(address: str, stream: int, rate: int) -> Iterator[av.AudioFrame]:
    """The frames in mono or stereo, decoded and mixed by FFmpeg alone.

    MOV may list the channels of PCM in an order of its own. PyAV frees such a list twice once it is
    asked for the layout, or just for the number of channels, which ends the process.

    Raises:
        av.FFmpegError: no sound can be decoded.
    """
    graph = av.filter.Graph()
    source = graph.add("amovie", filename=address, stream_index=str(stream))
    mixed = graph.add(
        "aformat", sample_fmts="fltp", channel_layouts="mono|stereo", sample_rates=str(rate)
    )
    source.link_to(mixed)
    mixed.link_to(graph.add("abuffersink"))
    graph.configure()
    while True:
        try:
            frame = graph.pull()
        except av.EOFError:
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame


def _start_s(packet: av.Packet) -> float:
    return float((packet.pts or 0) * packet.time_base)
