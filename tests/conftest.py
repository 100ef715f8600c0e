"""Videos that tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.bench.loopback import make_clip
from pipeline.samples import sample_clips

FURTHER_CLIPS = Path(__file__).parents[2] / "shared" / "videos"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--mutations", type=int, default=15, help="damaged files that a batch has to cope with"
    )
    parser.addoption("--kills", type=int, default=4, help="processes killed during a batch")
    parser.addoption("--kill-clips", type=int, default=10, help="clips of that batch")


@pytest.fixture(scope="session")
def samples() -> dict[str, Path]:
    """The sample clips by file name; fetched once."""
    return {clip.name: clip for clip in sample_clips()}


@pytest.fixture(scope="session")
def further_clips() -> Path:
    """A folder of more clips that lies beside the repository on some machines."""
    if not FURTHER_CLIPS.is_dir():
        pytest.skip("the folder ../shared/videos is not on this machine")
    return FURTHER_CLIPS


@pytest.fixture(scope="session")
def camera_clips(
    samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """What a camera would send, 640x360 at 15 frames/s: by the kind of ``LoopbackCamera``."""
    folder = tmp_path_factory.mktemp("camera")
    source = samples["single_face.mp4"]
    return {
        "mpegts": make_clip(source, folder / "camera.mp4", (640, 360), 15, 12),
        "mjpeg": make_clip(source, folder / "camera.avi", (640, 360), 15, 12, "mjpeg"),
    }
