"""The sample clips lie in the user's cache, or one line says why they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import EmotionTimelinesError, OutputError
from pipeline.samples import CLIPS, sample_clips
from tests.pipeline.command import run


def test_clips_that_are_in_the_cache_are_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "emotion-timelines" / "samples"
    folder.mkdir(parents=True)
    for name in CLIPS:
        (folder / name).touch()
    assert sample_clips() == [folder / name for name in CLIPS]


def test_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match=r"samples: the cache cannot be written.*permissions"):
        sample_clips()
    outcome = run("demo", "-o", tmp_path / "demo")
    assert outcome.returncode == 1
    assert "the cache cannot be written" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_package_index_that_is_out_of_reach_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(EmotionTimelinesError, match="cannot be fetched"):
        sample_clips()
    assert not list((tmp_path / "emotion-timelines" / "samples").iterdir())
