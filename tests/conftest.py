"""Videos that tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.samples import sample_clips

FURTHER_CLIPS = Path(__file__).parents[2] / "shared" / "videos"


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
