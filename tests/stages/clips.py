"""Make small videos, and read them back with plain PyAV as the reference."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from configs.schema import DetectSettings, ReadSettings
from stages.batch import FrameBatch
from stages.faces.detect import make_detector
from stages.read.video_reader import VideoReader

MS = Fraction(1, 1000)
RATE = 25
QUIET = {
    "vorbis": {"strict": "experimental"},
    "libx265": {"x265-params": "log-level=none"},
    "wmav2": {"b": "128k"},
    "libvpx": {"cpu-used": "8", "deadline": "realtime"},
    "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"},
}
"""Options for encoders that print a lot, are slow, or take no default."""


def join_clips(path: Path, *clips: Path, size: tuple[int, int], frames: int) -> Path:
    """The first frames of some videos, brought to one size, one after the other."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        for number, clip in enumerate(clips):
            with av.open(str(clip)) as source:
                for index, frame in enumerate(islice(source.decode(video=0), frames)):
                    same = frame.reformat(width=size[0], height=size[1], format="yuv420p")
                    same.time_base, same.pts = Fraction(1, RATE), number * frames + index
                    film.mux(stream.encode(same))
        film.mux(stream.encode(None))
    return path


def face_squares(clip: Path, count: int, side_px: int) -> list[np.ndarray]:
    """Squares around the only face of a clip's first frames, upright and of one size.

    Returns:
        ``count`` of them, (side_px, side_px, 3) uint8 BGR.
    """
    detector = make_detector(DetectSettings())
    squares: list[np.ndarray] = []
    with av.open(str(clip)) as source:
        for frame in source.decode(video=0):
            image = frame.to_ndarray(format="bgr24")
            (x, y, width, height), *_ = detector.find(image).boxes.tolist()
            zoom = side_px / (1.7 * height)
            shift = side_px / 2 - zoom * np.array([x + width / 2, y + height / 2])
            transform = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
            squares.append(cv2.warpAffine(image, transform, (side_px,) * 2, flags=cv2.INTER_AREA))
            if len(squares) == count:
                break
    return squares


Placed = tuple[np.ndarray, int, int]
"""A picture, (h, w, 3) uint8 BGR, and where in a frame its left upper corner is: x, y."""


def film_of_pictures(
    path: Path,
    frames: Sequence[Sequence[Placed]],
    interval_s: float = 1 / RATE,
    flashes: Sequence[int] = (),
) -> Path:
    """A film of 640x360 whose frames have pictures before one background; some are overexposed."""
    blurred = cv2.GaussianBlur(np.random.default_rng(0).random((360, 640)), (0, 0), 8)
    background = np.clip(100 + 3000 * (blurred - 0.5), 40, 160).astype(np.uint8)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE)
        (stream.width, stream.height), stream.pix_fmt = (640, 360), "yuv420p"
        stream.codec_context.time_base = MS
        for index, placed in enumerate(frames):
            image = cv2.cvtColor(background, cv2.COLOR_GRAY2BGR)
            for picture, x, y in placed:
                image[y : y + len(picture), x : x + picture.shape[1]] = picture
            if index in flashes:
                image = np.clip(image * 1.6 + 90, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(index * interval_s / MS), MS
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


DARK, BRIGHT = 40, 200
"""Luma of the picture, and of the patch in its left upper corner."""


def make_clip(
    path: Path,
    codec: str = "libx264",
    *,
    size: tuple[int, int] = (160, 120),
    frames: int = 30,
    times_ms: Sequence[int] | None = None,
    pix_fmt: str = "yuv420p",
    rotation: float = 0,
    mirrored: bool = False,
    sample_aspect: Fraction | None = None,
    full_range: bool = False,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    format: str | None = None,
    rate: Fraction | int = RATE,
    sound: str | None = None,
    sound_s: float | None = None,
    sound_rate: int = 48000,
    layout: str = "stereo",
    sound_start_s: float = 0.0,
) -> Path:
    """Write a video whose left upper corner is bright, with noise that changes in every frame."""
    times_ms = times_ms or [round(1000 * i / rate) for i in range(frames)]
    options = {**QUIET.get(codec, {}), **(options or {})}
    with av.open(str(path), "w", format=format, options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        # On several threads, output may differ each time, and with it the damage of a cut file.
        stream.codec_context.thread_count = 1
        # MPEG-2, MPEG-4 part 2 and raw AVI have no finer time base than the frame rate.
        coarse = path.suffix in (".avi", ".dv") or codec.startswith("mpeg")
        stream.codec_context.time_base = 1 / Fraction(rate) if coarse else MS
        if full_range:
            stream.codec_context.color_range = av.video.reformatter.ColorRange.JPEG
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        if sample_aspect:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if sound:
            heard = container.add_stream(
                sound, rate=sound_rate, layout=layout, options=QUIET.get(sound, {})
            )
        for index, time_ms in enumerate(times_ms):
            frame = _picture(size, pix_fmt, index, full_range)
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(time_ms * MS / frame.time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound:
            length_s = sound_s if sound_s is not None else (times_ms[-1] - times_ms[0]) / 1000
            for tone in _tone(length_s, sound_rate, layout, sound_start_s):
                container.mux(heard.encode(tone))
            container.mux(heard.encode(None))
    return path


def has_encoder(codec: str) -> bool:
    return codec in av.codecs_available and av.Codec(codec, "w").is_encoder


def make_sound(path: Path, codec: str = "aac", *, cover: bool = False) -> Path:
    """Write a file that holds a second of sound only, or a picture of its cover as well."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48000, layout="stereo")
        if cover:
            picture = container.add_stream("mjpeg")
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            container.mux(picture.encode(_picture((64, 64), "yuvj420p", 0, True)))
            container.mux(picture.encode(None))
        for tone in _tone(1.0, 48000, "stereo", 0.0):
            container.mux(stream.encode(tone))
        container.mux(stream.encode(None))
    return path


def _picture(size: tuple[int, int], pix_fmt: str, index: int, full_range: bool) -> av.VideoFrame:
    width, height = size
    grey = np.random.default_rng(index).integers(DARK - 15, DARK + 15, (height, width), np.uint8)
    grey[: height // 3, : width // 3] = BRIGHT
    image = np.repeat(grey[..., None], 3, axis=2)
    # In full range the values stay as they are; else they are scaled to 16 to 235.
    limits = "JPEG" if full_range else "MPEG"
    return av.VideoFrame.from_ndarray(image, "rgb24").reformat(
        format=pix_fmt, src_color_range="JPEG", dst_color_range=limits
    )


def _tone(length_s: float, rate: int, layout: str, start_s: float) -> Iterator[av.AudioFrame]:
    channels = av.AudioLayout(layout).nb_channels
    for first in range(0, max(1, round(length_s * rate)), 1024):
        phase = np.arange(first, first + 1024) * (440 * 2 * np.pi / rate)
        samples = np.tile(np.sin(phase).astype(np.float32) * 0.3, (channels, 1))
        tone = av.AudioFrame.from_ndarray(samples, "fltp", layout)
        tone.sample_rate, tone.time_base = rate, Fraction(1, rate)
        tone.pts = first + round(start_s * rate)
        yield tone


def frame_times_s(path: Path) -> np.ndarray:
    """Times of all pictures, from the first, by PyAV alone: (n,) float64."""
    with av.open(str(path)) as container:
        pts = np.array([float(frame.pts * frame.time_base) for frame in container.decode(video=0)])
    return pts - pts[0]


def read_all(path: Path, **settings: float) -> list[FrameBatch]:
    """All batches of a video."""
    with VideoReader(path, ReadSettings(**settings)) as reader:
        return list(reader.batches())


def times_of(batches: list[FrameBatch]) -> np.ndarray:
    return np.concatenate([batch.time_s for batch in batches])


def damage_of(batches: list[FrameBatch]) -> str:
    """All damage that was reported; empty for an intact file."""
    return "; ".join(batch.damage for batch in batches if batch.damage)


def cut(path: Path, share: float = 0.5) -> Path:
    """A copy of a file of which only the first part is left."""
    whole = path.read_bytes()
    part = path.with_name(f"cut_{path.name}")
    part.write_bytes(whole[: int(len(whole) * share)])
    return part


def zeroed(path: Path, share: float, seed: int = 0) -> Path:
    """A copy of a file with a share of its bytes set to 0, in one place behind its head."""
    data, rng = bytearray(path.read_bytes()), random.Random(seed)
    length = int(len(data) * share)
    start = rng.randrange(len(data) // 10, len(data) - length)
    data[start : start + length] = bytes(length)
    damaged = path.with_name(f"zeroed_{path.name}")
    damaged.write_bytes(data)
    return damaged


def remuxed(
    path: Path,
    source: Path,
    change: Callable[[list[av.Packet[Any]]], Iterable[av.Packet[Any]]],
    file: Any = None,
) -> Path:
    """The changed packets of a video in another container, written to the path, or to a file."""
    kind = {"mkv": "matroska", "ts": "mpegts"}.get(path.suffix[1:], path.suffix[1:])
    with av.open(str(source)) as before, av.open(file or str(path), "w", format=kind) as after:
        stream = before.streams.video[0]
        target = after.add_stream_from_template(stream)
        packets = [packet for packet in before.demux(stream) if packet.size]
        for packet in change(packets):
            packet.stream = target
            after.mux(packet)
    return path


def sound_of(path: Path) -> tuple[str, list[float]]:
    """Codec of a file's sound, and its packets' times since the first picture."""
    with av.open(str(path)) as container:
        start_s = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        times_s = [float(packet.pts * packet.time_base) - start_s for packet in packets]
        return stream.codec_context.name, times_s
