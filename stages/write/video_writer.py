"""Write the annotated video: H.264 with the source's timestamps and sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any

import av

from configs.errors import EncodingError
from configs.schema import VideoSettings
from stages.batch import FrameBatch, VideoInfo
from stages.ffmpeg import address_of, reason_of
from stages.frames import plane_values, yuv_planes
from stages.write.annotate import Annotator
from stages.write.files import (
    keep_what_plays,
    move_into_place,
    output_errors_name,
    unfinished_name,
)
from stages.write.sound import Sound

MACROBLOCKS_PER_S = 2_073_600
"""At most, in H.264 level 5.2 (ITU-T H.264, table A-1): few players take more. Frames keep their
times all the same."""

FRAGMENT_S = 1.0
"""Length of a fragment, and so of what is lost at most."""

FRAGMENTED = {
    "movflags": "hybrid_fragmented+delay_moov",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    "flush_packets": "1",
}
"""FFmpeg's options: fragments while it is written, an ordinary MP4 once it is complete."""

IN_ORDER = {"bf": "0"}
"""The encoder's option for such a file: no B-frames. FFmpeg ends the film with the frames of the
last fragment, and one that is shown later may lie in the fragment before."""

LEFT_OUT_BY_PRESET = {"superfast": {"mbtree": "1", "rc-lookahead": "10"}}
"""What x264's fastest presets lack: macroblock trees. They cost next to nothing, and make films of
the same quality a sixth smaller, so that ``crf`` means the same as with slower presets."""


class VideoWriter:
    """Annotates frames and encodes them.

    Args:
        path: the file to write.
        info: of the video that the frames come from.
        sound_of: file whose sound is copied; None for none.
        fragmented: what is written plays at any time, for a film that cannot be made again.

    Raises:
        OutputError: by any method, when the file cannot be written.
        EncodingError: by any method, when no film can be made of such frames.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        settings: VideoSettings,
        sound_of: Path | None,
        fragmented: bool = False,
    ) -> None:
        self._path, self._info, self._settings, self._sound_of = path, info, settings, sound_of
        self._layout = FRAGMENTED if fragmented else {"movflags": "+faststart"}
        self._order = IN_ORDER if fragmented else {}
        self._size = info.width + info.width % 2, info.height + info.height % 2
        self._annotator = Annotator(*self._size, info.colorspace, settings.blur)
        self._first_pts = round(Fraction(info.start_s) / info.time_base)
        self._frame_duration = max(1, round(info.every / (info.rate * info.time_base)))
        self._container: av.container.OutputContainer | None = None

    @property
    def without_sound(self) -> str | None:
        """Why the film has no sound although its source has some, in words."""
        return self._sound.problem if self._container else None

    def write(self, batch: FrameBatch) -> None:
        self._begin()
        for index, pixels in enumerate(batch.pixels):
            frame = av.VideoFrame(*self._size, "yuv420p")
            y, u, v = (plane_values(plane) for plane in frame.planes)
            y[:], u[:], v[:] = yuv_planes(pixels)
            self._annotator.draw((y, u, v), batch, index)
            frame.pts = self._first_pts + int(batch.pts[index]) - self._info.start_pts
            frame.time_base = self._info.time_base
            frame.duration = self._frame_duration
            with self._errors_named():
                self._sound.write_until(self._info.start_s + float(batch.time_s[index]))
                self._mux(self._stream.encode(frame))

    def end_sound(self) -> None:
        """End the sound with the last frame so far, for a video that is cut short."""
        if self._container is not None:
            self._sound.close()

    def finish(self) -> None:
        """Complete the file and give it its final name."""
        self._begin()
        with self._errors_named():
            self._mux(self._stream.encode(None))
            self._sound.finish()
            assert self._container is not None
            self._container.close()
        move_into_place(self._path)

    def keep_what_plays(self) -> bool:
        """Give what plays of a fragmented film its final name after an error, and delete the rest;
        returns whether anything plays."""
        self._close()
        return keep_what_plays(self._path)

    def discard(self) -> None:
        """Delete what was written."""
        self._close()
        unfinished_name(self._path).unlink(missing_ok=True)

    def _close(self) -> None:
        if self._container is not None:
            with suppress(av.FFmpegError, OSError):  # After an error, or to be deleted.
                self._sound.close()
                self._container.close()

    def _begin(self) -> None:
        """Open the file; with the sound in the best way that MP4 takes, if in any."""
        if self._container is not None:
            return
        problem = None
        for source, may_copy in ((self._sound_of, True), (self._sound_of, False), (None, False)):
            try:
                with self._errors_named():
                    self._open(source, may_copy)
                break
            except EncodingError as error:
                if source is None:
                    raise
                problem = reason_of(error.__cause__ or error)
        self._sound.problem = self._sound.problem or (None if source else problem)

    def _open(self, sound_of: Path | None, may_copy: bool) -> None:
        container = av.open(
            address_of(unfinished_name(self._path)), "w", format="mp4", options=self._layout
        )
        try:
            info, settings = self._info, self._settings
            stream = container.add_stream("libx264", rate=_encoder_rate(info))
            (stream.width, stream.height), stream.pix_fmt = self._size, "yuv420p"
            stream.options = {
                "crf": str(settings.crf),
                "preset": settings.preset,
                **LEFT_OUT_BY_PRESET.get(settings.preset, {}),
                **self._order,
            }
            context = stream.codec_context
            context.time_base = info.time_base
            context.thread_count = settings.threads
            context.color_range = av.video.reformatter.ColorRange.MPEG
            context.colorspace = info.colorspace
            context.color_primaries = info.color_primaries
            context.color_trc = info.color_trc
            # What leads to the first frame of a whole film, such as an encoder's delay, is kept.
            from_s = info.start_s + info.from_s if info.from_s else -inf
            sound = Sound(sound_of, container, may_copy, from_s, info.start_s + info.to_s)
            container.start_encoding()
        except BaseException:
            with suppress(av.FFmpegError, OSError):
                container.close()
            raise
        self._container, self._stream, self._sound = container, stream, sound

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        assert self._container is not None
        self._container.mux(packets)

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        with output_errors_name(self._path):
            try:
                yield
            except OSError:
                raise
            except (av.FFmpegError, ValueError) as error:
                raise EncodingError(
                    f"{self._path}: no annotated video can be made: {reason_of(error)}; the "
                    "table is not affected, and --no-video leaves the video out"
                ) from error


def _encoder_rate(info: VideoInfo) -> Fraction:
    macroblocks = -(-info.width // 16) * -(-info.height // 16)
    return min(info.rate / info.every, Fraction(MACROBLOCKS_PER_S, macroblocks))
