"""Damaged files: what can be decoded is kept, damage is reported, nothing hangs."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import pytest

from configs.errors import SourceError
from configs.schema import ReadSettings
from stages.read.video_reader import VideoReader
from tests.stages.clips import (
    MS,
    cut,
    damage_of,
    frame_times_s,
    has_encoder,
    make_clip,
    make_sound,
    read_all,
    remuxed,
    times_of,
    zeroed,
)

MOOV_FIRST = {"movflags": "+faststart"}


def _text_as_video(path: Path) -> Path:
    path.write_text("dear diary, today I renamed a text\n" * 200)
    return path


def _empty(path: Path) -> Path:
    path.touch()
    return path


def _audio_only(path: Path) -> Path:
    return make_sound(path)


def _without_its_index(path: Path) -> Path:
    return cut(make_clip(path))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path, "no such file"),
        (_empty, "empty"),
        (_text_as_video, "not a video"),
        (_audio_only, "no video stream"),
        (_without_its_index, "not a video"),
    ],
)
def test_a_file_that_is_no_video_is_refused_by_name_and_reason(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    path = make(tmp_path / "interview.mp4")
    with pytest.raises(SourceError, match=reason) as caught:
        read_all(path)
    assert str(path) in str(caught.value)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "song.mp3", "libmp3lame", cover=True)
    with pytest.raises(SourceError, match="no video stream"):
        read_all(path)


@pytest.mark.parametrize(
    ("codec", "ending", "options", "reported"),
    [
        ("libx264", "mp4", MOOV_FIRST, "cut off"),
        ("libx265", "mp4", MOOV_FIRST, "cut off"),
        ("libx264", "mkv", {}, "cut off"),
        ("libvpx-vp9", "webm", {}, "cut off"),
        ("libx264", "flv", {}, "cut off"),
        ("mjpeg", "avi", {}, "cut off"),
        # These state no duration: only a packet that is cut in two shows it.
        ("libx264", "mp4", {"movflags": "+frag_keyframe+empty_moov"}, "damaged"),
        ("libx264", "ts", {}, "cut off"),
    ],
)
def test_half_a_file_gives_its_frames_and_is_reported(
    tmp_path: Path, codec: str, ending: str, options: dict[str, str], reported: str
) -> None:
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = make_clip(tmp_path / f"clip.{ending}", codec, frames=100, pix_fmt=pix_fmt,
                     options={"g": "20"}, container_options=options)  # fmt: skip
    assert damage_of(read_all(path)) == ""
    # Half of a transport stream may be a whole number of its packets; this is not.
    batches = read_all(cut(path, 0.55))
    assert 20 <= len(times_of(batches)) <= 80
    assert reported in damage_of(batches)


@pytest.mark.parametrize("ending", ["mkv", "webm", "mp4", "mov", "flv"])
@pytest.mark.parametrize("sound_s", [1.0, 6.0])
def test_sound_shorter_or_longer_than_the_pictures_is_no_damage(
    tmp_path: Path, ending: str, sound_s: float
) -> None:
    video, sound = ("libvpx-vp9", "libopus") if ending == "webm" else ("libx264", "aac")
    path = make_clip(tmp_path / f"clip.{ending}", video, frames=75, sound=sound, sound_s=sound_s)
    assert damage_of(read_all(path)) == ""


@pytest.mark.parametrize(
    ("codec", "ending"),
    [("libx264", "mp4"), ("libx264", "mkv"), ("libx265", "mp4"), ("libvpx-vp9", "webm"),
     ("libsvtav1", "mp4"), ("mjpeg", "avi"), ("libx264", "ts")],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_flipped_bytes_do_not_end_decoding(tmp_path: Path, codec: str, ending: str) -> None:
    if not has_encoder(codec):
        pytest.skip(f"PyAV has no encoder {codec} here")
    path = make_clip(tmp_path / f"clip.{ending}", codec, frames=60, options={"g": "20"},
                     pix_fmt="yuvj420p" if codec == "mjpeg" else "yuv420p",
                     container_options=MOOV_FIRST if ending == "mp4" else {})  # fmt: skip
    whole = path.read_bytes()
    for seed in range(3):
        damaged, rng = bytearray(whole), random.Random(seed)
        for _ in range(60):
            damaged[rng.randrange(len(whole) // 3, len(whole) * 2 // 3)] ^= 0xFF
        path.write_bytes(damaged)
        batches = read_all(path)
        assert len(times_of(batches)) >= 20
        times_s = times_of(batches)
        assert (times_s[1:] > times_s[:-1]).all()
        # VP9 decodes most damage as a picture, and Matroska resumes at the next frame.
        if ending != "webm":
            assert "damaged" in damage_of(batches)


def test_frames_that_a_decoder_drops_silently_are_counted(tmp_path: Path) -> None:
    """H.265 leaves out what refers to a lost picture without an error."""
    path = make_clip(tmp_path / "clip.mp4", "libx265", frames=60, container_options=MOOV_FIRST,
                     options={"g": "20", "x265-params": "log-level=none"})  # fmt: skip
    damaged = bytearray(path.read_bytes())
    for position in range(len(damaged) // 2, len(damaged) // 2 + 3000):
        damaged[position] = 0
    path.write_bytes(damaged)
    batches = read_all(path)
    lost = 60 - len(times_of(batches))
    assert lost > 0
    assert f"{lost} damaged frame(s) could not be decoded" in damage_of(batches)


@pytest.mark.parametrize(
    ("codec", "ending"),
    [("libvpx", "webm"), ("libvpx-vp9", "webm"), ("libsvtav1", "webm"), ("libx264", "mkv"),
     ("libx264", "flv"), ("libx264", "ts"), ("mpeg2video", "mpg"), ("mpeg4", "avi"),
     ("wmv2", "wmv"), ("libtheora", "ogv"), ("mpeg2video", "mxf"), ("libx264", "mp4")],
)  # fmt: skip
def test_no_hole_in_a_file_goes_untold(tmp_path: Path, codec: str, ending: str) -> None:
    """Demuxers look for the next part that they know, and decoders take zeros for pictures."""
    if not has_encoder(codec):
        pytest.skip(f"PyAV has no encoder {codec} here")
    path = make_clip(tmp_path / f"clip.{ending}", codec, size=(320, 240), frames=60,
                     options={"g": "20", "b": "2000000"},
                     container_options=MOOV_FIRST if ending == "mp4" else {})  # fmt: skip
    assert damage_of(read_all(path)) == ""
    for seed in range(3):
        for share in (0.01, 0.05, 0.25):
            assert damage_of(read_all(zeroed(path, share, seed))), (share, seed)


@pytest.mark.parametrize(
    ("ending", "options"),
    [("mkv", {}), ("mp4", {"movflags": "+frag_keyframe+empty_moov"}), ("flv", {}), ("ts", {})],
)
def test_a_file_that_lacks_little_is_cut_off(
    tmp_path: Path, ending: str, options: dict[str, str]
) -> None:
    """Less than the tolerance for the stated duration, within a picture or within sound."""
    path = make_clip(tmp_path / f"clip.{ending}", frames=12, sound="aac", container_options=options)
    length = path.stat().st_size
    for missing in (700, 1000, 1500):
        assert damage_of(read_all(cut(path, 1 - missing / length))), missing


@pytest.mark.parametrize(
    ("ending", "codec", "size", "pix_fmt"),
    [("mjpeg", "mjpeg", (160, 120), "yuvj420p"), ("dv", "dvvideo", (720, 576), "yuv420p"),
     ("dv", "dvvideo", (720, 480), "yuv411p")],
)  # fmt: skip
def test_pictures_without_a_container_are_whole_or_told(
    tmp_path: Path, ending: str, codec: str, size: tuple[int, int], pix_fmt: str
) -> None:
    rate = 25 if size[1] != 480 else Fraction(30000, 1001)
    path = make_clip(tmp_path / f"clip.{ending}", codec, size=size, frames=5, pix_fmt=pix_fmt,
                     rate=rate)  # fmt: skip
    assert damage_of(read_all(path)) == ""
    assert "cut off" in damage_of(read_all(cut(path, 0.9)))
    data = bytearray(path.read_bytes())
    second = len(data) // 5 if ending == "dv" else data.index(b"\xff\xd8", 2)
    data[second : second + 160] = bytes(160)
    path.write_bytes(data)
    assert "damaged at byte" in damage_of(read_all(path))


def test_a_packet_that_segments_lack_is_told(tmp_path: Path) -> None:
    path = _of_segments(tmp_path / "segments.ts")
    data = path.read_bytes()
    for number in (100, 501, 1002):
        path.write_bytes(data[: number * 188] + data[(number + 1) * 188 :])
        assert "damaged at byte" in damage_of(read_all(path)), number


def test_a_packet_that_was_received_with_errors_is_told(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.ts")
    data = bytearray(path.read_bytes())
    data[188 * 20 + 1] |= 0x80
    path.write_bytes(data)
    assert "damaged at byte 3760" in damage_of(read_all(path))


def test_damaged_sound_is_told(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.ts", frames=30, sound="aac")
    data = path.read_bytes()
    with av.open(str(path)) as container:
        sound = container.streams.audio[0].id
    packets = [data[start : start + 188] for start in range(0, len(data), 188)]
    of_sound = [i for i, p in enumerate(packets) if int.from_bytes(p[1:3]) & 0x1FFF == sound]
    del packets[of_sound[len(of_sound) // 2]]
    path.write_bytes(b"".join(packets))
    assert "damaged" in damage_of(read_all(path))


def _with_longer_picture(path: Path) -> Path:
    """A second video track goes on for three seconds after the first."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for stream, frames in zip(streams, (10, 100), strict=True):
            for index in range(frames):
                frame = av.VideoFrame(64, 48, "yuv420p")
                frame.pts = index
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def _with_subtitles(path: Path) -> Path:
    """A line of text stays for six seconds after the picture."""
    script = path.with_suffix(".srt")
    script.write_text("1\n00:00:00,100 --> 00:00:06,100\nhello\n")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        with av.open(str(script)) as written:
            text = container.add_stream_from_template(written.streams.subtitles[0])
        for index in range(10):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        line = av.Packet(b"hello")
        line.stream, line.time_base = text, MS
        line.pts = line.dts = 100
        line.duration = 6000
        container.mux(line)
    return path


def _with_a_late_clock(path: Path) -> Path:
    codec = {".wmv": "wmv2", ".nut": "mpeg4"}.get(path.suffix, "libx264")
    return make_clip(path, codec, times_ms=[2000 + 40 * index for index in range(25)])


def _with_left_out_frames(path: Path) -> Path:
    """AVI keeps an empty chunk for each."""
    return make_clip(path, "mpeg4", times_ms=[120 * index for index in range(25)])


def _with_one_more_frame_stated(path: Path) -> Path:
    """As FFmpeg writes it if it is told to stop after some seconds."""
    data = bytearray(make_clip(path, "mpeg4", frames=25).read_bytes())
    length = data.index(b"strh") + 8 + 32
    assert int.from_bytes(data[length : length + 4], "little") == 25
    data[length] = 26
    path.write_bytes(data)
    return path


def _of_segments(path: Path) -> Path:
    """Of a stream: every segment numbers its packets anew, and may list its programmes once."""
    parts = [
        make_clip(path, times_ms=[1000 + 40 * (first + index) for index in range(3)])
        .read_bytes()
        for first in range(0, 120, 3)
    ]  # fmt: skip
    path.write_bytes(b"".join(parts))
    return path


def _with_filled_sectors(path: Path) -> Path:
    """A Video CD, whose packets of sound do not fill theirs."""
    return make_clip(path, "mpeg1video", size=(352, 288), frames=25, sound="mp2",
                     sound_rate=44100, format="vcd")  # fmt: skip


def _from_the_second_key_frame(path: Path) -> Path:
    """The pictures shown before it refer to what is not in the file."""
    codec, options = (
        ("libx265", {"x265-params": "log-level=none:open-gop=1:keyint=12:min-keyint=12:bframes=3"})
        if "265" in path.name
        else ("libx264", {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0"})
        if "264" in path.name
        else ("mpeg2video", {"bf": "2", "g": "12"})
    )
    whole = make_clip(path.with_name("whole.mkv"), codec, frames=48, options=options)

    def second_on(packets: list[av.Packet[Any]]) -> list[av.Packet[Any]]:
        keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
        return packets[keys[1] :]

    return remuxed(path, whole, second_on)


def _unfinished(path: Path) -> Path:
    """As it goes to a pipe, so that the writer cannot go back to fill in sizes."""
    whole = make_clip(path, "libx264" if path.suffix in (".mkv", ".flv") else "mpeg4", frames=25)
    piped = path.with_stem("piped")
    with piped.open("wb") as file:
        return remuxed(piped, whole, lambda packets: packets, _Pipe(file))


class _Pipe:
    """A file to be written from its begin to its end."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (_with_longer_picture, "two.mkv"),
        (_with_longer_picture, "two.mp4"),
        (_with_subtitles, "text.mkv"),
        (_with_a_late_clock, "late.mkv"),
        (_with_a_late_clock, "late.mp4"),
        (_with_a_late_clock, "late.ts"),
        (_with_a_late_clock, "late.flv"),
        (_with_a_late_clock, "late.wmv"),
        (_with_a_late_clock, "late.nut"),
        (_with_left_out_frames, "empty.avi"),
        (_with_one_more_frame_stated, "stopped.avi"),
        (_with_filled_sectors, "disc.mpg"),
        (_of_segments, "segments.ts"),
        (_from_the_second_key_frame, "264.mkv"),
        (_from_the_second_key_frame, "264.mp4"),
        (_from_the_second_key_frame, "265.mkv"),
        (_from_the_second_key_frame, "265.ts"),
        (_from_the_second_key_frame, "mpeg2.ts"),
        (_unfinished, "clip.mkv"),
        (_unfinished, "clip.avi"),
        (_unfinished, "clip.flv"),
        (_unfinished, "clip.asf"),
    ],
)
def test_a_whole_file_is_never_called_damaged(
    tmp_path: Path, make: Callable[[Path], Path], name: str
) -> None:
    path = make(tmp_path / name)
    batches = read_all(path)
    assert damage_of(batches) == ""
    assert len(times_of(batches)) == len(frame_times_s(path))


def test_a_hole_in_an_unfinished_file_is_told(tmp_path: Path) -> None:
    path = _unfinished(tmp_path / "clip.mkv")
    data = path.read_bytes()
    for seed in range(5):
        damaged, rng = bytearray(data), random.Random(seed)
        start = rng.randrange(len(data) // 4, len(data) * 3 // 4)
        damaged[start : start + 3000] = rng.randbytes(3000)
        path.write_bytes(damaged)
        assert damage_of(read_all(path)), seed


def test_a_program_stream_with_a_foreign_head_is_damaged(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mpg", "mpeg2video", size=(320, 240), frames=60)
    data = path.read_bytes()
    path.write_bytes(b"RUBBISH!" * 500 + data[4000:])
    assert damage_of(read_all(path))


def test_what_lies_behind_a_whole_file_is_no_damage(tmp_path: Path) -> None:
    for ending in ("mkv", "mp4", "avi"):
        path = make_clip(tmp_path / f"clip.{ending}", "mpeg4", frames=10)
        path.write_bytes(path.read_bytes() + bytes(5000))
        assert damage_of(read_all(path)) == "", ending


def test_a_file_that_is_cut_off_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mkv", "rawvideo", size=(640, 480), frames=40)
    with VideoReader(path, ReadSettings(batch_frames=4)) as reader:
        batches = reader.batches()
        assert len(next(batches)) == 4
        os.truncate(path, path.stat().st_size // 2)
        assert "cut off" in damage_of(list(batches))
