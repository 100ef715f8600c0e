"""Damaged files: what can be decoded is kept, damage is reported, nothing hangs."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from configs.errors import SourceError
from tests.stages.clips import (
    cut,
    damage_of,
    has_encoder,
    make_clip,
    make_sound,
    read_all,
    times_of,
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
