"""A folder of results belongs to its source, whatever is analysed after it."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from configs.load import load_settings
from pipeline.result_folders import folders_with_summaries, take_folder
from pipeline.results.summary import Provenance, Summary
from pipeline.run.ray_cluster import as_nodes_see
from pipeline.sources import find_jobs
from tests.pipeline.command import run, summary

PROVENANCE = Provenance(settings={"detect": {}}, model={}, versions={}, command="")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def video(place: str) -> Path:
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def analysed(*sources: str, out: str = "out", done: bool = True) -> dict[str, str]:
    """The folder that each source gets; with results from then on."""
    jobs, problems = find_jobs(sources, Path(out))
    assert not problems
    for job in jobs if done else ():
        Summary(job.label, "complete", input=job.identity()).write(job.folder, PROVENANCE)
    return {str(job.source): str(job.folder) for job in jobs}


def test_another_source_of_the_same_name_gets_a_number_whatever_the_order() -> None:
    first, second, third = (str(video(f"P0{number}/video.mp4")) for number in (1, 2, 3))
    assert analysed(first) == {first: "out/video.mp4"}
    assert analysed(second) == {second: "out/video-2.mp4"}
    assert analysed(third, second, first) == {
        third: "out/video-3.mp4", second: "out/video-2.mp4", first: "out/video.mp4"
    }  # fmt: skip
    shutil.rmtree("out/video.mp4")
    assert analysed(second, done=False) == {second: "out/video-2.mp4"}
    assert analysed(third, first) == {third: "out/video-3.mp4", first: "out/video.mp4"}


@pytest.mark.parametrize("name", ["cam.2024-05", "clip.", "é" * 125 + ".mp4", "v" * 255, "a-2.mp4"])
def test_a_number_is_kept_whatever_the_name(name: str) -> None:
    first, second = (str(video(f"P0{number}/{name}")) for number in (1, 2))
    folders = {**analysed(first), **analysed(second)}
    assert len(set(folders.values())) == 2
    for _ in range(2):
        assert analysed(second, first) == folders


def test_a_result_on_a_cluster_belongs_to_the_place_that_the_user_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its nodes have another working directory, and perhaps another place for the file."""
    (job,), _ = find_jobs([str(video("day/video.mp4"))], Path("out"))
    there = as_nodes_see(job, load_settings(flags={"executor.address": "10.0.0.1:6379"}))
    place = job.identity()["path"]
    monkeypatch.chdir("/")
    assert there.identity()["path"] == place
    assert there.label == "day/video.mp4"


def test_results_below_other_results_are_listed() -> None:
    video("two/day.mp4/clip.mp4")
    analysed(str(video("one/day.mp4")), "two")
    assert [str(path) for path in folders_with_summaries(Path("out"))] == [
        "out/day.mp4", "out/day.mp4/clip.mp4"
    ]  # fmt: skip


def test_the_same_source_is_known_by_any_path(monkeypatch: pytest.MonkeyPatch) -> None:
    path = video("day/video.mp4")
    out = str(Path("out").absolute())
    Path("link").symlink_to("day")
    analysed(str(path), out=out)
    for same in (path.absolute(), Path("day/../day/video.mp4"), Path("link/video.mp4")):
        assert analysed(str(same), out=out, done=False) == {str(same): f"{out}/video.mp4"}
    monkeypatch.chdir("day")
    assert analysed("video.mp4", out=out, done=False) == {"video.mp4": f"{out}/video.mp4"}
    other = video("other/video.mp4")
    monkeypatch.chdir(other.parent)
    assert analysed("video.mp4", out=out) == {"video.mp4": f"{out}/video-2.mp4"}


def test_trees_of_the_same_shape_do_not_mix() -> None:
    for root in ("A", "B"):
        video(f"{root}/day 1/video.mp4")
    assert analysed("A") == {"A/day 1/video.mp4": "out/day 1/video.mp4"}
    assert analysed("B", "A") == {
        "B/day 1/video.mp4": "out/day 1/video-2.mp4", "A/day 1/video.mp4": "out/day 1/video.mp4"
    }  # fmt: skip


def test_results_beside_the_clip_and_files_of_others_are_left_alone() -> None:
    clip = video("clip.mp4")
    assert analysed(str(clip), out=".") == {"clip.mp4": "clip-2.mp4"}
    foreign = video("out/talk.mp4/summary.json")
    foreign.write_text(json.dumps({"title": "of another program"}))
    assert analysed(str(video("talk.mp4"))) == {"talk.mp4": "out/talk-2.mp4"}


def test_results_of_streams_are_not_taken_over() -> None:
    folder = Path("out/door.mp4")
    Summary("rtsp://camera/door.mp4", "complete", live={}).write(folder, PROVENANCE)
    assert analysed(str(video("door.mp4"))) == {"door.mp4": "out/door-2.mp4"}


def test_a_destroyed_summary_does_not_keep_its_folder() -> None:
    video("out/video.mp4/summary.json")
    assert analysed(str(video("video.mp4"))) == {"video.mp4": "out/video.mp4"}


def test_results_and_hidden_files_are_no_sources() -> None:
    for place in ("a.mp4", "day/b.mp4", "._a.mp4", ".hidden.mp4", ".Trash/c.mp4", "day/.x/d.mp4"):
        video(place)
    expected = {"a.mp4": "timelines/a.mp4", "day/b.mp4": "timelines/day/b.mp4"}
    for _ in range(3):
        assert analysed(".", out="timelines") == expected
        for folder in expected.values():
            video(f"{folder}/annotated.mp4")
    # Nor are those in another output folder, or in this one.
    assert set(analysed(".", out="elsewhere")) == set(expected)
    assert set(analysed(".", out=".")) == set(expected)
    assert set(analysed("**/*.mp4", out="again")) == set(expected)
    # A recording that was cut off has no summary yet.
    video("old/c.mp4/annotated.mp4")
    Path("old/c.mp4/timeline.csv").write_text("frame,time_s,track,x\n")
    # But the tables of somebody else are no results of ours.
    video("study/d.mp4")
    Path("study/timeline.csv").write_text("participant,age\n")
    assert set(analysed(".", out="timelines")) == {*expected, "study/d.mp4"}
    assert analysed("old/c.mp4/annotated.mp4", out="named")  # Unless it is named.


def test_a_folder_that_cannot_be_read_is_named(samples: dict[str, Path], tmp_path: Path) -> None:
    """Deeper than a path may be long, as root may read whatever its mode says."""
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copy(samples["no_face.mp4"], videos)
    os.chdir(videos)
    for _ in range(20):
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
    os.chdir(tmp_path)
    outcome = run("run", videos, "-o", "out", "--executor", "local", "--no-video")
    assert outcome.returncode == 1
    assert "cannot be read: File name too long" in outcome.stderr
    assert summary(tmp_path / "out" / "no_face.mp4")["status"] == "complete"


def test_a_folder_for_a_recording_is_taken_by_one_alone() -> None:
    """An empty one is that of a camera which has not sent anything yet."""
    Path("out/camera-2").mkdir(parents=True)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take_folder, [Path("out/camera")] * 8))
    assert {str(folder) for folder in taken} == {
        "out/camera", *(f"out/camera-{number}" for number in range(3, 10)),
    }  # fmt: skip
