"""Copy the sound of a source into the annotated video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain, groupby
from math import inf
from pathlib import Path

import av

from configs.names import as_text
from stages.ffmpeg import address_of, of_known_streams, reason_of

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
        self._packets: Iterator[av.Packet[av.AudioStream]] = iter(())
        self._next: av.Packet[av.AudioStream] | None = None
        self._source: av.container.InputContainer | None = None
        self._written = False
        self.problem: str | None = None
        if source is None:
            return
        self._path = source
        self._source = av.open(address_of(source), metadata_errors="replace")
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

    def _copied(
        self, stream: av.AudioStream, target: av.AudioStream
    ) -> Iterator[av.Packet[av.AudioStream]]:
        assert self._source is not None
        for packet in of_known_streams(self._source.demux(stream)):
            if packet.dts is None or packet.pts is None:
                continue
            shift = round(self._start_s / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            if _start_s(packet) < self._from_s:
                continue
            packet.stream = target
            yield packet

    def _encoded(self, stream: av.AudioStream) -> Iterator[av.Packet[av.AudioStream]]:
        """As AAC, in mono or stereo: PCM files may not state the layout that the encoder needs."""
        context = stream.codec_context
        rate = context.sample_rate if context.sample_rate in AAC_RATES else FALLBACK_RATE
        if context.name.startswith("pcm_"):
            frames = _mixed_down(self._path, stream.index, rate)
            first = next(frames, None)
            if first is None:
                return iter(())
            frames, mono = chain([first], frames), first.layout.nb_channels == 1
        else:
            frames, mono = self._decoded(stream), context.channels == 1
        layout = "mono" if mono else "stereo"
        target = self._output.add_stream("aac", rate=rate, layout=layout)
        return self._encode(_alike(frames, rate, layout), target)

    def _decoded(self, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
        """What can be decoded.

        Raises:
            av.FFmpegError: at the end, if that is nothing.
        """
        assert self._source is not None
        problem: av.FFmpegError | None = None
        is_silent = True
        for packet in of_known_streams(self._source.demux(stream)):
            try:
                for frame in packet.decode():
                    is_silent = False
                    yield frame
            except av.FFmpegError as error:
                problem = error
        if problem and is_silent:
            raise problem

    def _encode(
        self, frames: Iterator[av.AudioFrame], target: av.AudioStream
    ) -> Iterator[av.Packet[av.AudioStream]]:
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


def _alike(frames: Iterator[av.AudioFrame], rate: int, layout: str) -> Iterator[av.AudioFrame]:
    """Frames of one rate and layout: in broadcasts they change from one programme to the next."""
    for _, same in groupby(frames, key=lambda frame: (frame.sample_rate, frame.layout.name)):
        resampler = av.AudioResampler("fltp", layout, rate)
        for frame in chain(same, [None]):  # At last what is left in it.
            for made in resampler.resample(frame):
                if made.pts is not None and made.time_base is not None:
                    made.pts = round(made.pts * made.time_base * rate)
                    made.time_base = Fraction(1, rate)
                yield made


def _mixed_down(path: Path, stream: int, rate: int) -> Iterator[av.AudioFrame]:
    """The frames in mono or stereo, decoded and mixed by FFmpeg alone.

    MOV and MXF may list the channels of PCM in an order of their own. PyAV frees such a list twice
    once it is asked for the layout, or just for the number of channels, which ends the process.

    Raises:
        av.FFmpegError: no sound can be decoded.
    """
    with path.open("rb") as file:
        graph = av.filter.Graph()
        # Filters take no names that are not UTF-8, which only Unix has.
        has_text = as_text(path) == str(path)
        address = address_of(path) if has_text else f"/dev/fd/{file.fileno()}"
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


def _start_s(packet: av.Packet[av.AudioStream]) -> float:
    return float((packet.pts or 0) * packet.time_base)
