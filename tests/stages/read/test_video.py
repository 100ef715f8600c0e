"""Reading: every frame, at its own time, upright, whatever the codec and the container."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from configs.errors import SourceError
from configs.schema import ReadSettings
from stages.faces.detector import SmallImages
from stages.frames import yuv_planes
from stages.read.decode import HASHED_BYTES
from stages.read.pictures import numbered_pictures
from stages.read.video_reader import VideoReader
from tests.stages.clips import (
    BRIGHT,
    DARK,
    RATE,
    damage_of,
    frame_times_s,
    has_encoder,
    make_clip,
    read_all,
    remuxed,
    times_of,
)

FORMATS = [
    ("libx264", "mp4"), ("libx264", "mov"), ("libx264", "mkv"), ("libx264", "avi"),
    ("libx264", "ts"), ("libx264", "flv"), ("libx264", "h264"), ("libx265", "mp4"),
    ("libx265", "mkv"), ("libvpx-vp9", "webm"), ("libvpx-vp9", "mkv"), ("libvpx-vp9", "mp4"),
    ("libsvtav1", "mp4"), ("libsvtav1", "webm"), ("mjpeg", "avi"), ("mjpeg", "mov"),
    ("mjpeg", "mkv"), ("mpeg4", "avi"), ("ffv1", "mkv"), ("rawvideo", "avi"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "ending"), FORMATS)
def test_every_format_gives_every_frame_at_its_time(
    tmp_path: Path, codec: str, ending: str
) -> None:
    if not has_encoder(codec):
        pytest.skip(f"PyAV has no encoder {codec} here")
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = make_clip(tmp_path / f"clip.{ending}", codec, frames=37, pix_fmt=pix_fmt)
    batches = read_all(path, batch_frames=8)
    np.testing.assert_allclose(times_of(batches), np.arange(37) / RATE, atol=1e-3)
    assert [batch.first_frame for batch in batches] == [0, 8, 16, 24, 32]
    assert damage_of(batches) == ""


@pytest.mark.parametrize(
    "name",
    ["single_face.mp4", "no_face.mp4", "face_noface.mov", "noface_face.mov",
     "WolfgangLanger_Pexels.mp4"],
)  # fmt: skip
def test_samples_are_whole_and_on_time(samples: dict[str, Path], name: str) -> None:
    batches = read_all(samples[name])
    np.testing.assert_allclose(times_of(batches), frame_times_s(samples[name]), atol=1e-3)
    assert damage_of(batches) == ""


def test_further_clips_are_whole(further_clips: Path) -> None:
    for path in sorted(further_clips.glob("*0p.mp4")):
        assert damage_of(read_all(path)) == "", path.name


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_variable_frame_rate_keeps_each_time(tmp_path: Path, ending: str) -> None:
    times_ms = [0, 40, 57, 200, 201, 900, 1000, 1033]
    path = make_clip(tmp_path / f"vfr.{ending}", times_ms=times_ms)
    np.testing.assert_allclose(times_of(read_all(path)), np.array(times_ms) / 1000, atol=1e-3)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_time_starts_at_0_where_the_stream_does_not(tmp_path: Path, ending: str) -> None:
    times_ms = [700 + 40 * i for i in range(10)]
    path = make_clip(tmp_path / f"late.{ending}", times_ms=times_ms, sound="aac")
    with VideoReader(path, ReadSettings()) as reader:
        times_s = times_of(list(reader.batches()))
    np.testing.assert_allclose(times_s, np.arange(10) / RATE, atol=1e-3)
    # The sound starts up to a frame of AAC earlier than asked, and the file with it.
    assert reader.info.start_s == pytest.approx(0.7, abs=0.025)


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize(
    # A player turns the picture counterclockwise by these degrees.
    ("rotation", "corner"),
    [(0, "top left"), (90, "bottom left"), (180, "bottom right"), (270, "top right")],
)
def test_rotated_video_is_upright(tmp_path: Path, rotation: int, corner: str, odd: bool) -> None:
    width, height = (81, 51) if odd else (80, 48)
    codec = "mjpeg" if odd else "libx264"
    path = make_clip(tmp_path / "phone.mov", codec, size=(width, height), rotation=rotation,
                     frames=3, pix_fmt="yuvj420p" if odd else "yuv420p")  # fmt: skip
    with VideoReader(path, ReadSettings()) as reader:
        batch = next(reader.batches())
    sideways = rotation in (90, 270)
    assert (reader.info.width, reader.info.height) == (
        (height, width) if sideways else (width, height)
    )
    luma = yuv_planes(batch.pixels[0])[0]
    for name in ("top left", "top right", "bottom left", "bottom right"):
        row, column = (6 if "top" in name else -7), (6 if "left" in name else -7)
        assert (luma[row, column] > 120) == (name == corner), name


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_odd_sizes_are_padded_with_their_edge(tmp_path: Path, pix_fmt: str) -> None:
    path = make_clip(tmp_path / "odd.mkv", "ffv1", size=(321, 241), frames=2, pix_fmt=pix_fmt)
    with VideoReader(path, ReadSettings()) as reader:
        batch = next(reader.batches())
    assert (reader.info.width, reader.info.height) == (321, 241)
    y, u, v = yuv_planes(batch.pixels[0])
    assert y.shape == (242, 322)
    assert u.shape == v.shape == (121, 161)
    assert np.array_equal(y[:, -1], y[:, -2])
    assert np.array_equal(y[-1], y[-2])
    assert abs(int(u.max()) - 128) <= 2  # Grey throughout.


@pytest.mark.parametrize(
    ("codec", "ending", "pix_fmt", "full_range"),
    [
        ("mjpeg", "mov", "yuvj420p", True),
        ("libx264", "mp4", "yuv420p", True),
        ("libvpx-vp9", "webm", "yuv420p", True),  # Unlike H.264's, still called yuv420p.
        ("libx264", "mp4", "yuv420p", False),
        ("libx264", "mp4", "yuv420p10le", False),
        ("libx264", "mp4", "yuv444p", False),
        ("libx264", "mkv", "yuv422p10le", False),
        ("libx264rgb", "mkv", "rgb24", True),
        ("ffv1", "mkv", "gray", False),
    ],
)
def test_pixels_become_8_bits_of_limited_range(
    tmp_path: Path, codec: str, ending: str, pix_fmt: str, full_range: bool
) -> None:
    path = make_clip(tmp_path / f"clip.{ending}", codec, frames=2, pix_fmt=pix_fmt,
                     full_range=full_range)  # fmt: skip
    y, u, v = yuv_planes(read_all(path)[0].pixels[0])
    for area, value in ((y[10:30, 10:40], BRIGHT), (y[60:110, 70:150], DARK)):
        assert area.mean() == pytest.approx(16 + value * 219 / 255, abs=3)
    assert abs(u.mean() - 128) < 2
    assert abs(v.mean() - 128) < 2


def test_small_images_are_bgr_of_the_same_picture(samples: dict[str, Path]) -> None:
    with VideoReader(samples["no_face.mp4"], ReadSettings()) as reader:
        batch = next(reader.batches())
    small = SmallImages(batch.pixels, width_px=320)
    assert small[0].shape == (*small.size, 3) == (180, 320, 3)
    assert SmallImages(batch.pixels, width_px=4096).size == (540, 960)  # Not enlarged.
    expected = cv2.cvtColor(batch.pixels[0], cv2.COLOR_YUV2BGR_I420)
    expected = cv2.resize(expected, (320, 180), interpolation=cv2.INTER_AREA)
    assert np.abs(small[0].astype(int) - expected).mean() < 2


def test_batches_are_bounded_in_bytes_and_frames(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "large.mp4", size=(1280, 720), frames=7,
                     options={"preset": "ultrafast"})  # fmt: skip
    assert [len(batch) for batch in read_all(path, batch_mb=4)] == [3, 3, 1]  # 1.3 MiB each.
    assert [len(batch) for batch in read_all(path, batch_mb=1)] == [1] * 7
    assert [len(batch) for batch in read_all(path, batch_frames=7)] == [7]


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "still.mp4", frames=1)
    batches = read_all(path)
    assert times_of(batches).tolist() == [0.0]
    assert damage_of(batches) == ""


def test_frames_come_in_order(tmp_path: Path) -> None:
    """Each frame's noise is its own; B-frames are stored in another order than shown."""
    path = make_clip(tmp_path / "lossless.mp4", frames=12, options={"crf": "0", "bf": "3"})
    twin = make_clip(tmp_path / "plain.mkv", "ffv1", frames=12)
    shown, expected = (np.concatenate([b.pixels for b in read_all(p)]) for p in (path, twin))
    assert np.array_equal(shown, expected)


def test_decoder_threads_change_nothing(samples: dict[str, Path]) -> None:
    path = samples["single_face.mp4"]
    one, two = read_all(path, threads=1), read_all(path, threads=2)
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.pixels, b.pixels)
        assert np.array_equal(a.pts, b.pts)


@pytest.mark.parametrize(
    ("codec", "ending", "size", "aspect", "square"),
    [
        ("libx264", "mp4", (720, 576), Fraction(64, 45), (1024, 576)),
        ("libx264", "mkv", (720, 480), Fraction(8, 9), (720, 540)),
        ("libx264", "ts", (180, 288), Fraction(8, 3), (480, 288)),  # Only the codec states it.
        ("mpeg4", "avi", (160, 120), Fraction(2), (320, 120)),
        ("libx264", "mov", (160, 120), Fraction(1), (160, 120)),
        ("libx264", "h264", (160, 120), Fraction(200), (160, 120)),  # Not believed.
    ],
)
def test_pixels_become_square(
    tmp_path: Path,
    codec: str,
    ending: str,
    size: tuple[int, int],
    aspect: Fraction,
    square: tuple[int, int],
) -> None:
    path = make_clip(tmp_path / f"wide.{ending}", codec, size=size, sample_aspect=aspect, frames=3)
    with VideoReader(path, ReadSettings()) as reader:
        luma = yuv_planes(next(reader.batches()).pixels[0])[0]
    width, height = square
    assert (reader.info.width, reader.info.height) == square
    assert luma.shape == (height, width)
    bright = luma > 120
    assert bright.any(axis=0).sum() == pytest.approx(width / 3, abs=4)
    assert bright.any(axis=1).sum() == pytest.approx(height / 3, abs=4)


def test_pixels_become_square_before_they_are_turned(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "phone.mov", size=(160, 120), sample_aspect=Fraction(2),
                     rotation=90, frames=2)  # fmt: skip
    with VideoReader(path, ReadSettings()) as reader:
        assert (reader.info.width, reader.info.height) == (120, 320)
    with VideoReader(path, ReadSettings(rotate=90)) as reader:
        assert (reader.info.width, reader.info.height) == (320, 120)


def corner_of(path: Path, **settings: int) -> str:
    """Where the bright patch is."""
    luma = yuv_planes(read_all(path, **settings)[0].pixels[0])[0]
    found = [
        name
        for name in ("top left", "top right", "bottom left", "bottom right")
        if luma[6 if "top" in name else -7, 6 if "left" in name else -7] > 120
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("rotation", "mirrored", "corner"),
    [
        (0, True, "top right"),
        (90, True, "bottom right"),
        (180, True, "bottom left"),  # Upside down and unmirrored.
        (270, True, "top left"),
        (1, False, "top left"),
        (40, False, "top left"),
        (91.5, False, "bottom left"),
        (179.7, False, "bottom right"),
        (-178, True, "bottom left"),
    ],
)
def test_the_whole_display_matrix_is_followed(
    tmp_path: Path, rotation: float, mirrored: bool, corner: str
) -> None:
    path = make_clip(tmp_path / "phone.mov", rotation=rotation, mirrored=mirrored, frames=2)
    assert corner_of(path) == corner


@pytest.mark.parametrize(
    ("rotate", "corner"),
    [(0, "top left"), (90, "top right"), (180, "bottom right"), (270, "bottom left")],
)
def test_pictures_are_turned_clockwise_when_asked_to(
    tmp_path: Path, rotate: int, corner: str
) -> None:
    path = make_clip(tmp_path / "plain.mp4", frames=2)
    assert corner_of(path, rotate=rotate) == corner


def _as_decoded(packets: list[av.Packet[Any]]) -> list[av.Packet[Any]]:
    """Presentation timestamps in the order of decoding, as some writers leave them."""
    for packet in packets:
        packet.pts = packet.dts
    return packets


@pytest.mark.parametrize("ending", ["flv", "mp4", "mkv"])
def test_wrong_presentation_times_give_way_to_decoding_times(tmp_path: Path, ending: str) -> None:
    options = {"bf": "3", "b_strategy": "0", "sc_threshold": "0", "g": "50"}
    whole = make_clip(tmp_path / "whole.mp4", frames=50, options=options)
    path = remuxed(tmp_path / f"wrong.{ending}", whole, _as_decoded)
    steps_s = np.diff(times_of(read_all(path)))
    # The rule needs some frames to find out, and the end is estimated.
    assert np.median(steps_s) == pytest.approx(1 / RATE, abs=2e-3)
    assert steps_s[15:40] == pytest.approx(1 / RATE, abs=2e-3)


def _with_times(path: Path, change: Callable[[int, int], int]) -> Path:
    """Flash video in which the time of each frame, in ms, is changed, given its number."""
    data = bytearray(make_clip(path, "flv", frames=50).read_bytes())
    at, number = 13, 0
    while at < len(data):
        if data[at] == 9:
            low, high = data[at + 4 : at + 7], data[at + 7]
            time_ms = change(number, high << 24 | int.from_bytes(low))
            data[at + 4 : at + 7], data[at + 7] = (time_ms & 0xFFFFFF).to_bytes(3), time_ms >> 24
            number += 1
        at += 15 + int.from_bytes(data[at + 1 : at + 4])
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda number, ms: ms + 3_600_000 * (number == 20),
        lambda number, ms: ms + 700 * (number == 20),
        lambda number, ms: ms * (number != 45),
        lambda number, ms: ms - 300 * (number in (20, 21, 22)),
        lambda number, ms: ms - 500 * (number >= 25),
        lambda number, ms: ms - 40 * (number % 2),
        lambda number, ms: ms + 40 - 80 * (number % 2),
        lambda number, ms: ms // 200 * 200,
        lambda number, ms: ms + 5000 * (number == 0),
        lambda number, ms: ms * (number != 49),
    ],
    ids=["an hour ahead", "ahead", "back", "three back", "all back", "pairs", "swapped", "fives",
         "first ahead", "last back"],
)  # fmt: skip
def test_times_that_are_out_of_order_are_mended(
    tmp_path: Path, change: Callable[[int, int], int]
) -> None:
    path = _with_times(tmp_path / "clip.flv", change)
    np.testing.assert_allclose(times_of(read_all(path)), np.arange(50) / RATE, atol=1e-3)


@pytest.mark.parametrize("frames", [50, 20])
def test_time_goes_on_where_timestamps_begin_anew(tmp_path: Path, frames: int) -> None:
    clip = make_clip(tmp_path / "clip.ts", frames=frames)
    all_of_them = tmp_path / "all.ts"
    all_of_them.write_bytes(clip.read_bytes() * 3)
    times_s = times_of(read_all(all_of_them))
    np.testing.assert_allclose(times_s, np.arange(3 * frames) / RATE, atol=1e-3)


def test_a_rate_that_is_none_is_measured(tmp_path: Path) -> None:
    """Raw DV states the unit of its timestamps, 60,000 a second."""
    path = make_clip(tmp_path / "clip.dv", "dvvideo", size=(720, 576), frames=12)
    with VideoReader(path, ReadSettings()) as reader:
        assert reader.info.rate == RATE
        assert times_of(list(reader.batches())) == pytest.approx(np.arange(12) / RATE)
    assert (reader.info.width, reader.info.height) in ((1024, 576), (768, 576), (788, 576))


@pytest.mark.parametrize("name", ["", "frame%04d.png", "frame%d.png"])
def test_numbered_pictures_are_a_film(tmp_path: Path, name: str) -> None:
    for number in (1, 2, 3, 10, 11):
        picture = np.full((48, 64, 3), number * 20, np.uint8)
        cv2.imwrite(
            str(tmp_path / (f"frame{number:04d}.png" if "4" in name else f"frame{number}.png")),
            picture,
        )
    (tmp_path / "notes.txt").touch()
    batches = read_all(tmp_path / name if name else tmp_path, rate=2)
    np.testing.assert_allclose(times_of(batches), np.arange(5) / 2)
    grey = [yuv_planes(pixels)[0].mean() for pixels in batches[0].pixels]
    assert grey == pytest.approx([16 + n * 20 * 219 / 255 for n in (1, 2, 3, 10, 11)], abs=2)
    assert damage_of(batches) == ""
    hashed = hashlib.sha256(b"".join(file.read_bytes() for file in numbered_pictures(tmp_path)))
    assert batches[-1].input_sha256 == hashed.hexdigest()


@pytest.mark.parametrize("changes", [{}, {"to_s": 0.5}, {"batch_frames": 5}])
def test_the_last_batch_has_the_hash_of_the_file(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = make_clip(tmp_path / "clip.mkv", "rawvideo", size=(640, 480), frames=20)
    whole = path.read_bytes()
    assert len(whole) > 2 * HASHED_BYTES
    batches = read_all(path, **changes)
    assert [batch.input_sha256 for batch in batches[:-1]] == [None] * (len(batches) - 1)
    assert batches[-1].input_sha256 == hashlib.sha256(whole).hexdigest()


def test_a_broken_picture_of_a_film_is_named(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"frame{number}.jpg"), np.zeros((48, 64, 3), np.uint8))
    (tmp_path / "frame1.jpg").write_bytes(b"nothing")
    batches = read_all(tmp_path, rate=25)
    assert times_of(batches) == pytest.approx([0, 2 / 25])
    assert "frame1.jpg could not be decoded" in damage_of(batches)


def test_pictures_need_a_rate(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"frame{number}.jpg"), np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(SourceError, match=r"3 numbered pictures.*--set read\.rate=25"):
        read_all(tmp_path)
