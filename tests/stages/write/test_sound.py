"""Sound that MP4 does not take as it is, or that is announced but not there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import av
import pytest

from configs.schema import ReadSettings, VideoSettings
from stages.read.video_reader import VideoReader
from stages.write.video_writer import VideoWriter
from tests.stages.clips import make_clip, sound_of
from tests.stages.write.test_video import annotated

PACKET_BYTES, SOUND_PID = 188, 0x101
AC3_SYNC = b"\x0b\x77"


@pytest.mark.parametrize(("ending", "codec"), [("mkv", "libx264"), ("avi", "mpeg4")])
@pytest.mark.parametrize("rate", [8000, 11025, 12000])
def test_mp3_of_low_rate_becomes_aac(tmp_path: Path, ending: str, codec: str, rate: int) -> None:
    source = make_clip(tmp_path / f"clip.{ending}", codec, sound="libmp3lame", sound_rate=rate,
                       layout="mono")  # fmt: skip
    assert sound_of(annotated(source, tmp_path))[0] == "aac"


def test_a_sound_track_without_packets_is_left_out(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "whole.ts", sound="aac")
    packets = source.read_bytes()
    silent = tmp_path / "silent.ts"
    with silent.open("wb") as kept:
        for start in range(0, len(packets), PACKET_BYTES):
            packet = packets[start : start + PACKET_BYTES]
            if (packet[1] & 0x1F) << 8 | packet[2] != SOUND_PID:
                kept.write(packet)
    assert len(silent.read_bytes()) < len(packets)
    annotated(silent, tmp_path)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24be", "pcm_alaw"])
def test_channels_in_another_order_are_mixed_down(tmp_path: Path, codec: str) -> None:
    source = make_clip(tmp_path / "clip.mov", sound=codec, layout="5.1")
    data = bytearray(source.read_bytes())
    order = data.index(b"chan") + 8
    assert data[order : order + 8] == (1 << 16).to_bytes(4) + 0x3F.to_bytes(4)  # A mask.
    data[order : order + 8] = ((122 << 16) + 6).to_bytes(4) + bytes(4)  # L R Ls Rs C LFE.
    source.write_bytes(data)
    assert sound_of(annotated(source, tmp_path))[0] == "aac"


def test_sound_of_a_file_whose_name_is_not_utf8(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mov", sound="pcm_s16le", sound_s=1.0)
    odd = source.rename(tmp_path / os.fsdecode(b"caf\xe9.mov"))
    codec, times_s = sound_of(annotated(odd, tmp_path))
    assert (codec, times_s[-1]) == ("aac", pytest.approx(1, abs=0.1))


@pytest.mark.parametrize(
    ("first", "second"),
    [(("mono", 48000), ("stereo", 48000)), (("stereo", 48000), ("stereo", 44100)),
     (("5.1", 48000), ("stereo", 48000))],
)  # fmt: skip
def test_sound_goes_on_when_its_channels_or_rate_change(
    tmp_path: Path, first: tuple[str, int], second: tuple[str, int]
) -> None:
    source, shift_s = tmp_path / "clip.ts", 0
    with av.open(str(source), "w") as joined:
        for layout, rate in (first, second):
            part = make_clip(tmp_path / "part.ts", sound="ac3", layout=layout, sound_rate=rate)
            with av.open(str(part)) as container:
                for stream in container.streams if not shift_s else ():
                    joined.add_stream_from_template(stream)
                for packet in container.demux():
                    if packet.size:
                        packet.pts += round(shift_s / packet.time_base)
                        packet.dts += round(shift_s / packet.time_base)
                        packet.stream = joined.streams[packet.stream.index]
                        joined.mux(packet)
            shift_s += 2
    film = annotated(source, tmp_path)
    assert sound_of(film)[1][-1] == pytest.approx(3.2, abs=0.3)


def test_sound_that_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.avi", "mpeg4", sound="ac3")
    data = source.read_bytes()
    source.write_bytes(data.replace(AC3_SYNC, b"no"))
    with VideoReader(source, ReadSettings()) as reader:
        writer = VideoWriter(tmp_path / "film.mp4", reader.info, VideoSettings(), source)
        for batch in reader.batches():
            writer.write(batch)
        writer.finish()
    assert "Invalid data" in str(writer.without_sound)


@pytest.mark.parametrize("layout", ["5.1", "6.1", "7.1", "7.1(wide)", "7.1(wide-side)"])
def test_channels_in_an_order_of_their_own_are_mixed_down(tmp_path: Path, layout: str) -> None:
    """PyAV cannot write such a file, so that the program ``ffmpeg`` has to."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("the program ffmpeg is not installed")
    source = tmp_path / "clip.mov"
    tone = "sine=frequency=440:sample_rate=48000:duration=1"
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=1",
         "-f", "lavfi", "-i", tone, "-filter_complex", f"[1:a]pan={layout}|c0=c0|c1=c0[a]",
         "-map", "0:v", "-map", "[a]", "-c:v", "mpeg4", "-c:a", "pcm_s16le", str(source)],
        check=True,
    )  # fmt: skip
    codec, times_s = sound_of(annotated(source, tmp_path))
    assert codec == "aac"
    assert times_s[-1] == pytest.approx(1, abs=0.1)
