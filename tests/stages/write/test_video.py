"""The annotated video: the source's frames, times and sound, in a file that browsers play."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from configs.errors import OutputError
from configs.schema import ReadSettings, VideoSettings
from stages.read.video_reader import VideoReader
from stages.write.video_writer import VideoWriter
from tests.stages.clips import cut, frame_times_s, make_clip, read_all, sound_of, times_of

QUICK = VideoSettings(preset="ultrafast")


def annotated(source: Path, folder: Path, settings: VideoSettings = QUICK, **part: float) -> Path:
    """Encode the frames of a video, or of a part of it, again."""
    path = folder / f"annotated-{settings.preset}.mp4"
    with VideoReader(source, ReadSettings(**part)) as reader:
        writer = VideoWriter(path, reader.info, settings, source)
        for batch in reader.batches():
            writer.write(batch)
        assert not path.exists()  # Not under its final name before it is complete.
        writer.finish()
    return path


@pytest.mark.parametrize(
    "name", ["single_face.mp4", "no_face.mp4", "face_noface.mov", "noface_face.mov"]
)
def test_samples_keep_frames_times_and_sound(
    samples: dict[str, Path], tmp_path: Path, name: str
) -> None:
    source = samples[name]
    result = annotated(source, tmp_path)
    expected = frame_times_s(source)
    np.testing.assert_allclose(frame_times_s(result), expected, atol=1e-3)
    with av.open(str(result)) as container:
        video = container.streams.video[0]
        length_s = float(video.duration * video.time_base)
    frame_s = expected[-1] / (len(expected) - 1)
    assert length_s == pytest.approx(expected[-1] + frame_s, abs=frame_s)
    _assert_same_sound(result, source)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_variable_frame_rate_keeps_each_time(tmp_path: Path, ending: str) -> None:
    times_ms = [0, 40, 57, 200, 201, 900, 1000, 1033]
    source = make_clip(tmp_path / f"vfr.{ending}", times_ms=times_ms)
    times_s = frame_times_s(annotated(source, tmp_path))
    np.testing.assert_allclose(times_s, np.array(times_ms) / 1000, atol=1e-3)


@pytest.mark.parametrize(
    ("codec", "ending", "sound"),
    [
        ("libx264", "mp4", "aac"),
        ("libx264", "mkv", "aac"),
        ("libx264", "ts", "aac"),
        ("libx264", "flv", "aac"),
        ("libx264", "mp4", "libmp3lame"),
        ("mpeg4", "avi", "libmp3lame"),
        ("libvpx-vp9", "webm", "libopus"),
        ("libx264", "mkv", "flac"),
    ],
)
def test_sound_that_browsers_take_is_copied(
    tmp_path: Path, codec: str, ending: str, sound: str
) -> None:
    source = make_clip(tmp_path / f"clip.{ending}", codec, sound=sound, sound_s=2.0)
    result = annotated(source, tmp_path)
    _assert_same_sound(result, source)


@pytest.mark.parametrize(
    ("ending", "sound", "rate", "layout"),
    [
        ("mov", "pcm_s16le", 48000, "stereo"),
        ("mov", "pcm_mulaw", 8000, "mono"),
        ("avi", "pcm_s16le", 11025, "mono"),  # AVI and Matroska do not name PCM's channels.
        ("avi", "pcm_s16le", 44100, "stereo"),
        ("mkv", "pcm_s16le", 48000, "5.1"),
        ("mkv", "pcm_s16le", 37000, "stereo"),  # AAC knows neither this rate
        ("mkv", "pcm_s16le", 192000, "stereo"),  # nor this one.
        ("mkv", "ac3", 48000, "5.1"),
        ("ts", "ac3", 48000, "stereo"),  # Neither stream starts at 0.
        ("mkv", "vorbis", 44100, "stereo"),
    ],
)
def test_other_sound_becomes_aac(
    tmp_path: Path, ending: str, sound: str, rate: int, layout: str
) -> None:
    codec = "mpeg4" if ending == "avi" else "libx264"
    source = make_clip(tmp_path / f"clip.{ending}", codec, sound=sound, sound_rate=rate,
                       layout=layout)  # fmt: skip
    result = annotated(source, tmp_path)
    assert sound_of(result)[0] == "aac"
    with av.open(str(source)) as before, av.open(str(result)) as after:
        heard, kept = (
            np.concatenate([frame.to_ndarray()[0] for frame in _tuned(container)])
            for container in (before, after)
        )
    assert len(kept) == pytest.approx(len(heard), abs=2100)  # Encoders fill up their last frames.
    loudness = [samples[2000:-4000].std() for samples in (heard, kept)]
    assert loudness[1] == pytest.approx(loudness[0], rel=0.5)  # Down-mixing makes it quieter.
    assert _lag_s(result) == pytest.approx(_lag_s(source), abs=5e-3)


@pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])  # Copied, and encoded again.
def test_a_part_has_its_own_sound_at_its_own_time(tmp_path: Path, sound: str) -> None:
    source = make_clip(tmp_path / "clip.mov", frames=75, sound=sound)
    result = annotated(source, tmp_path, from_s=1.0, to_s=2.0)
    with av.open(str(result)) as film:
        shown_s = [frame.time for frame in film.decode(video=0)]
    assert (shown_s[0], shown_s[-1]) == (pytest.approx(1.0), pytest.approx(1.96))
    _, times_s = sound_of(result)
    assert times_s[0] == pytest.approx(0, abs=0.05)
    assert times_s[-1] == pytest.approx(1.0, abs=0.05)


def _assert_same_sound(result: Path, source: Path) -> None:
    """The same packets at the same times, counted from the first picture."""
    (codec, times_s), (expected_codec, expected_s) = sound_of(result), sound_of(source)
    assert codec == expected_codec
    np.testing.assert_allclose(times_s, expected_s, atol=2e-3)


def _tuned(container: av.container.InputContainer) -> list[av.AudioFrame]:
    """The sound as 48 kHz mono."""
    resampler = av.AudioResampler("flt", "mono", 48000)
    frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return frames + resampler.resample(None)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(("video_ms", "sound_s"), [(700, 0.0), (0, 0.7)])
def test_pictures_and_sound_stay_together(
    tmp_path: Path, ending: str, video_ms: int, sound_s: float
) -> None:
    """Whichever of the two starts later."""
    sound = "aac" if ending == "ts" else "pcm_s16le" if ending == "mkv" else "libmp3lame"
    times_ms = [video_ms + 40 * i for i in range(25)]
    source = make_clip(tmp_path / f"late.{ending}", times_ms=times_ms, sound=sound,
                       sound_start_s=sound_s)  # fmt: skip
    lag_s = _lag_s(annotated(source, tmp_path))
    assert lag_s == pytest.approx(_lag_s(source), abs=5e-3)
    assert lag_s == pytest.approx(sound_s - video_ms / 1000, abs=0.06)


def _lag_s(path: Path) -> float:
    """Time from the first frame to the first sound that is not silence."""
    with av.open(str(path)) as container:
        video_s = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        for frame in _tuned(container):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.02)
            if len(loud):
                return frame.time + loud[0] / frame.sample_rate - video_s
    raise AssertionError(f"{path} is silent")


@pytest.mark.parametrize(
    ("codec", "size", "pix_fmt"),
    [
        ("libx264", (160, 120), "yuv420p"),
        ("libx264", (160, 120), "yuv420p10le"),
        ("libx264rgb", (160, 120), "rgb24"),
        ("ffv1", (321, 241), "yuv420p"),
        ("ffv1", (161, 121), "yuv444p"),
        ("mjpeg", (33, 17), "yuvj420p"),
    ],
)
def test_browsers_can_play_it(
    tmp_path: Path, codec: str, size: tuple[int, int], pix_fmt: str
) -> None:
    source = make_clip(tmp_path / "clip.mkv", codec, size=size, pix_fmt=pix_fmt, frames=10)
    result = annotated(source, tmp_path, VideoSettings(preset="veryfast"))
    with av.open(str(result)) as container:
        context = container.streams.video[0].codec_context
        assert context.name == "h264"
        assert context.pix_fmt == "yuv420p"
        assert (context.width, context.height) == tuple(side + side % 2 for side in size)
        assert context.profile in ("Constrained Baseline", "Baseline", "Main", "High")
        assert context.color_range != av.video.reformatter.ColorRange.JPEG
        assert context.colorspace != 0  # That of RGB, which a picture in YUV cannot have.
        assert not container.streams.audio
    data = result.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")  # Starts before it is all loaded.
    assert len(frame_times_s(result)) == 10


def test_the_default_makes_no_larger_films_than_a_slower_preset(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    """As those of x264's own superfast are."""
    slower = VideoSettings(preset="veryfast")
    ours, theirs = (
        annotated(samples["single_face.mp4"], tmp_path, settings).stat().st_size
        for settings in (VideoSettings(), slower)
    )
    assert ours < 1.3 * theirs


def test_the_frames_show_the_source(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "phone.mov", "libx264", rotation=90, frames=5)
    result = annotated(source, tmp_path, VideoSettings(crf=1))
    before, after = (np.concatenate([b.pixels for b in read_all(p)]) for p in (source, result))
    assert before.shape == after.shape  # Turned once, and not again by the player.
    assert np.abs(before.astype(int) - after).mean() < 1


def test_of_a_damaged_source_what_can_be_decoded_is_written(tmp_path: Path) -> None:
    source = cut(make_clip(tmp_path / "clip.mkv", frames=100, sound="aac"))
    result = annotated(source, tmp_path)
    np.testing.assert_allclose(frame_times_s(result), times_of(read_all(source)), atol=1e-3)
    assert 0 < len(sound_of(result)[1]) <= len(sound_of(source)[1])


@pytest.mark.parametrize("frames", [0, 20])
def test_discarded_video_leaves_nothing(tmp_path: Path, frames: int) -> None:
    source = make_clip(tmp_path / "clip.mp4", sound="aac")
    folder = tmp_path / "out"
    folder.mkdir()
    with VideoReader(source, ReadSettings(batch_frames=20)) as reader:
        writer = VideoWriter(folder / "annotated.mp4", reader.info, QUICK, source)
        if frames:
            writer.write(next(reader.batches()))
        writer.discard()
    assert list(folder.iterdir()) == []


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", frames=2)
    path = tmp_path / "nowhere" / "annotated.mp4"
    with VideoReader(source, ReadSettings()) as reader:
        writer = VideoWriter(path, reader.info, QUICK, source)
    with pytest.raises(OutputError, match=r"annotated\.mp4: cannot be written"):
        writer.finish()


@pytest.mark.parametrize(("width", "height"), [(160, 120), (1280, 720)])
def test_odd_rates_make_films_that_players_take(tmp_path: Path, width: int, height: int) -> None:
    """A rate of 1,000 or 60,000 comes from the unit of timestamps."""
    source = make_clip(tmp_path / "clip.mkv", size=(width, height), frames=5)
    path = tmp_path / "annotated.mp4"
    with VideoReader(source, ReadSettings()) as reader:
        writer = VideoWriter(path, replace(reader.info, rate=Fraction(60_000)), QUICK, None)
        for batch in reader.batches():
            writer.write(batch)
        writer.finish()
    np.testing.assert_allclose(frame_times_s(path), frame_times_s(source), atol=1e-3)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.level <= 52
