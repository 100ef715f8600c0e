"""What a user types as SOURCE becomes the right videos, each with a folder of its own."""

from pathlib import Path

import pytest

from configs.errors import UsageError
from pipeline.sources import find_jobs


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a.MOV", "notes.txt", "day 2/a.mkv", "day 2/ünï\nline.webm"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def folders(sources: list[str], out: Path = Path("out")) -> list[str]:
    return [str(job.folder.relative_to(out)) for job in find_jobs(sources, out)[0]]


def test_folder_is_searched_and_its_tree_mirrored(tree: Path) -> None:
    assert folders([str(tree)]) == ["a.MOV", "b.mp4", "day 2/a.mkv", "day 2/ünï\nline.webm"]


def test_file_of_any_name_is_taken_when_named(tree: Path) -> None:
    assert folders([str(tree / "notes.txt")]) == ["notes.txt"]


def test_patterns_are_expanded(tree: Path) -> None:
    assert folders([str(tree / "**" / "a.*")]) == ["a.MOV", "a.mkv"]


def test_each_video_once_and_no_folder_twice(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "b.mp4"
    other.parent.mkdir()
    other.touch()
    named = [str(tree / "b.mp4"), str(other), str(tree / ".." / "in" / "b.mp4")]
    assert folders(named) == ["b.mp4", "b-2.mp4"]


def test_sources_without_video_are_named(tree: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    sources = [str(empty), str(tmp_path / "nosuch.mp4"), str(tmp_path / "*.avi")]
    jobs, problems = find_jobs([*sources, str(tree / "b.mp4")], tmp_path / "out")
    assert [job.name for job in jobs] == ["b.mp4"]
    assert [str(problem).split(": ")[0] for problem in problems] == sources


@pytest.mark.parametrize("source", ["0", "rtsp://camera/stream"])
def test_live_sources_are_refused(source: str) -> None:
    with pytest.raises(UsageError, match="cannot be analysed yet"):
        find_jobs([source], Path("out"))
