"""Videos, and full disks, that tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the tests whose fixture starts Ray, and divides all among the processes of ``-n``.

    Tests of a file stay together, as they share what they make. Those that start Ray form one
    group, so that no two do so at once, and begin first, as they take longest.
    """
    for item in items:
        if any(name.startswith("ray_") for name in getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.ray)
    if hasattr(config, "workerinput"):
        for item in items:
            group = "ray" if item.get_closest_marker("ray") else str(item.path)
            item.add_marker(pytest.mark.xdist_group(group))
        items.sort(key=lambda item: item.get_closest_marker("ray") is None)


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


@pytest.fixture
def limited_files() -> Iterator[Callable[[int | None], None]]:
    """Sets how many bytes a file of this process may have; None for no limit."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int | None) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))

    yield limit
    limit(None)
