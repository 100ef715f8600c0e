"""Write the annotated video: H.264 with the source's timestamps and sound."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av

from configs.schema import VideoSettings
from stages.batch import FrameBatch, VideoInfo
from stages.frames import plane_values, yuv_planes
from stages.write.annotate import Annotator
from stages.write.files import move_into_place, output_errors_name, unfinished_name
from stages.write.sound import Sound

MACROBLOCKS_PER_S = 2_073_600
"""At most, in H.264 level 5.2 (ITU-T H.264, table A-1): few players take more. Frames keep their
times all the same."""


class VideoWriter:
    """Annotates frames and encodes them.

    Args:
        path: the file to write.
        info: of the video that the frames come from.
        sound_of: file whose sound is copied; None for none.

    Raises:
        OutputError: by any method, when the file cannot be written.
    """

    def __init__(
        self, path: Path, info: VideoInfo, settings: VideoSettings, sound_of: Path | None
    ) -> None:
        self._path = path
        self._info = info
        width, height = info.width + info.width % 2, info.height + info.height % 2
        self._annotator = Annotator(width, height, settings.blur)
        with output_errors_name(path):
            self._container = av.open(
                str(unfinished_name(path)), "w", format="mp4", options={"movflags": "+faststart"}
            )
            stream = self._container.add_stream("libx264", rate=_encoder_rate(info))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = {"crf": str(settings.crf), "preset": settings.preset}
            context = stream.codec_context
            context.time_base = info.time_base
            context.thread_count = settings.threads
            context.color_range = av.video.reformatter.ColorRange.MPEG
            context.colorspace = info.colorspace
            context.color_primaries = info.color_primaries
            context.color_trc = info.color_trc
            self._stream = stream
            self._sound = Sound(sound_of, self._container)
        self._first_pts = round(Fraction(info.start_s) / info.time_base)
        self._frame_duration = max(1, round(1 / (info.rate * info.time_base)))

    def write(self, batch: FrameBatch) -> None:
        for index, pixels in enumerate(batch.pixels):
            frame = av.VideoFrame(self._stream.width, self._stream.height, "yuv420p")
            y, u, v = (plane_values(plane) for plane in frame.planes)
            y[:], u[:], v[:] = yuv_planes(pixels)
            self._annotator.draw((y, u, v), batch, index)
            frame.pts = self._first_pts + int(batch.pts[index]) - self._info.start_pts
            frame.time_base = self._info.time_base
            frame.duration = self._frame_duration
            with output_errors_name(self._path):
                self._sound.write_until(self._info.start_s + float(batch.time_s[index]))
                self._container.mux(self._stream.encode(frame))

    def end_sound(self) -> None:
        """End the sound with the last frame so far, for a video that is cut short."""
        self._sound.close()

    def finish(self) -> None:
        """Complete the file and give it its final name."""
        with output_errors_name(self._path):
            self._container.mux(self._stream.encode(None))
            self._sound.finish()
            self._container.close()
        move_into_place(self._path)

    def discard(self) -> None:
        """Delete what was written."""
        with suppress(av.FFmpegError, OSError):  # It is deleted anyway.
            self._sound.close()
            self._container.close()
        unfinished_name(self._path).unlink(missing_ok=True)


def _encoder_rate(info: VideoInfo) -> Fraction:
    macroblocks = -(-info.width // 16) * -(-info.height // 16)
    return min(info.rate, Fraction(MACROBLOCKS_PER_S, macroblocks))
