"""Sound that MP4 does not take as it is, or that is announced but not there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stages.clips import make_clip, sound_of
from tests.stages.write.test_video import annotated

PACKET_BYTES, SOUND_PID = 188, 0x101


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
