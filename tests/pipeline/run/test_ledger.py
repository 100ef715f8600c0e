"""A batch can be repeated at any time, and only does what is missing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import filelock
import pytest

from configs import VERSION
from pipeline.results.report import portraits_in
from pipeline.results.summary import Provenance
from pipeline.run.executor import Reporter
from pipeline.run.ledger import Ledger, LedgerReporter
from pipeline.sources import Job
from pipeline.study.annotations import FolderAnnotations
from tests.pipeline.command import run, start, summary, timeline
from tests.streams import wait_until

OPTIONS = ("--executor", "local", "--no-video")
CLIPS = ("single_face.mp4", "no_face.mp4")


@pytest.fixture
def videos(samples: dict[str, Path], tmp_path: Path) -> Path:
    """Two videos and a broken one, one of them in a folder below."""
    folder = tmp_path / "videos"
    (folder / "day 1").mkdir(parents=True)
    shutil.copy(samples[CLIPS[0]], folder / CLIPS[0])
    shutil.copy(samples[CLIPS[1]], folder / "day 1" / CLIPS[1])
    (folder / "broken.mp4").write_text("no video")
    return folder


def analysed(outcome: subprocess.CompletedProcess[str]) -> set[str]:
    """Names of the videos that a run worked on."""
    lines = outcome.stderr.splitlines()
    return {line.split(":")[0] for line in lines if ": started" in line}


def test_second_run_does_what_is_missing_changed_or_failed(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run("run", videos, "-o", out, *OPTIONS)
    assert first.returncode == 1
    assert analysed(first) == set(CLIPS)
    assert "starting, 3 videos to analyse" in first.stderr
    assert f"open {out / 'index.html'}" in first.stdout.replace("\n", "")

    second = run("run", videos, "-o", out, *OPTIONS)
    assert analysed(second) == set()
    assert "2 left as they are" in second.stdout
    assert "1 done again: failed before" in second.stdout
    assert second.returncode == 1

    (videos / "broken.mp4").unlink()
    os.utime(videos / CLIPS[0])
    (out / "day 1" / CLIPS[1] / "timeline.csv").unlink()
    third = run("run", videos, "-o", out, *OPTIONS)
    assert analysed(third) == set(CLIPS)
    assert "another or a changed video" in third.stdout
    assert "results are missing" in third.stdout
    assert third.returncode == 0

    other = run("run", videos, "-o", out, *OPTIONS, "--set", "detect.threshold=0.7")
    assert "2 done again: other settings or another model" in other.stdout
    again = run("run", videos, "-o", out, *OPTIONS, "--set", "detect.threshold=0.7", "--redo")
    assert analysed(again) == set(CLIPS)


def test_results_of_another_version_are_left_and_named(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    clip = samples["no_face.mp4"]
    run("run", clip, "-o", tmp_path, *OPTIONS)
    facts = summary(tmp_path / clip.name)
    assert facts["versions"]["emotion-timelines"] == VERSION

    def rerun(*options: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / clip.name / "summary.json").write_text(json.dumps(facts))
        return run("run", clip, "-o", tmp_path, *OPTIONS, *options)

    # It shipped another network, had a setting less, and told more in its summary.
    facts["model"]["sha256"] = "0" * 64
    del facts["settings"]["track"]["max_gap_s"]
    facts["mood"] = "good"
    assert "1 done again: other settings or another model" in rerun().stdout
    facts["versions"]["emotion-timelines"] = "0.0.9"
    outcome = rerun()
    assert analysed(outcome) == set()
    assert "1 of them made by 0.0.9; --redo renews them" in outcome.stdout
    assert summary(tmp_path / clip.name) == facts
    changed = rerun("--set", "track.max_gap_s=2")
    assert "1 done again: other settings or another model" in changed.stdout
    assert analysed(rerun("--redo")) == {clip.name}
    assert summary(tmp_path / clip.name)["versions"]["emotion-timelines"] == VERSION


def test_only_what_failed_is_retried_if_so_asked(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("run", videos, "-o", out, *OPTIONS)
    (out / CLIPS[0] / "summary.json").unlink()
    shutil.copy(videos / CLIPS[0], videos / "broken.mp4")
    outcome = run("run", videos, "-o", out, *OPTIONS, "--retry-failed")
    assert "1 done again" in outcome.stdout
    assert not (out / CLIPS[0] / "summary.json").exists()
    assert summary(out / "broken.mp4")["status"] == "complete"


def test_batch_json_lists_every_video(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("run", videos, "-o", out, *OPTIONS, "--exclude", "day*")
    batch = json.loads((out / "batch.json").read_text())
    assert (batch["videos"], batch["complete"], batch["failed"]) == (2, 1, 1)
    by_folder = {result["folder"]: result for result in batch["results"]}
    assert by_folder.keys() == {CLIPS[0], "broken.mp4"}
    assert "not a video" in by_folder["broken.mp4"]["reason"]
    assert by_folder[CLIPS[0]]["frames"] == summary(out / CLIPS[0])["frames"]
    included = run("run", videos, "-o", out, *OPTIONS, "--include", "no_*.mp4")
    assert analysed(included) == {CLIPS[1]}


def test_second_run_on_the_same_folder_is_refused(videos: Path, tmp_path: Path) -> None:
    with filelock.FileLock(tmp_path / ".lock"):
        outcome = run("run", videos, "-o", tmp_path, *OPTIONS)
    assert outcome.returncode == 2
    assert "another run is writing there" in outcome.stderr


@pytest.fixture(scope="module")
def three_clips(samples: dict[str, Path]) -> list[Path]:
    return [samples[name] for name in (*CLIPS, "face_noface.mov")]


@pytest.fixture(scope="module")
def undisturbed(three_clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a run that was not interrupted."""
    out = tmp_path_factory.mktemp("undisturbed")
    run("run", *three_clips, "-o", out, *OPTIONS)
    return out


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_run_that_was_stopped_is_completed_by_the_same_command(
    three_clips: list[Path], undisturbed: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    options, out = ("--executor", "local"), tmp_path / "out"
    process = start("run", *three_clips, "-o", out, *options)
    wait_until(lambda: any(out.glob("*/.unfinished.annotated.mp4")) and any(out.glob("*/summary*")))
    process.send_signal(stop)
    process.communicate(timeout=60)
    outcome = run("run", *three_clips, "-o", out, *options)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "left as they are" in outcome.stdout
    for clip in three_clips:
        tables = [(folder / clip.name / "timeline.csv") for folder in (undisturbed, out)]
        assert tables[0].read_bytes() == tables[1].read_bytes()
        assert len(timeline(out / clip.name)) > 0
        assert not list((out / clip.name).glob(".unfinished*"))


def test_video_that_vanishes_during_a_run_fails_and_is_done_when_it_is_back(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    larger, smaller = videos / "larger.mp4", videos / "smaller.mp4"
    shutil.copy(samples["WolfgangLanger_Pexels.mp4"], larger)
    shutil.copy(samples["no_face.mp4"], smaller)
    process = start("run", videos, "-o", out, "--executor", "local")
    wait_until(lambda: (out / larger.name / ".unfinished.timeline.csv").exists())
    smaller.rename(tmp_path / "elsewhere.mp4")
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert summary(out / larger.name)["status"] == "complete"
    assert (summary(out / smaller.name)["status"], summary(out / smaller.name)["reason"]) == (
        "failed", "no such file",
    )  # fmt: skip
    (tmp_path / "elsewhere.mp4").rename(smaller)
    outcome = run("run", videos, "-o", out, "--executor", "local")
    assert outcome.returncode == 0
    assert analysed(outcome) == {smaller.name}


def test_links_are_followed_to_files_but_not_in_circles(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    (videos / "link.mp4").symlink_to(samples["no_face.mp4"])
    (videos / "circle").symlink_to(videos)
    (videos / "nowhere.mp4").symlink_to(tmp_path / "nothing.mp4")
    outcome = run("run", videos, "-o", out, *OPTIONS)
    assert outcome.returncode == 0, outcome.stderr
    assert {path.name for path in out.iterdir() if path.is_dir()} == {"link.mp4"}


def changes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_exports_and_segments_are_made_of_the_table_that_is_there(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    clip = samples["single_face.mp4"]
    folder = tmp_path / clip.name
    run("run", clip, "-o", tmp_path, *OPTIONS, "--export", "vtt")
    before, faces = changes(folder), portraits_in(folder / "report.html")
    exported = run("run", clip, "-o", tmp_path, *OPTIONS, "--export", "vtt,eaf")
    assert exported.returncode == 0, exported.stderr
    assert analysed(exported) == set()
    after = changes(folder)
    assert after.keys() - before.keys() == {"timeline.eaf"}
    assert after["timeline.csv"] == before["timeline.csv"]
    assert "timeline.eaf" in summary(folder)["files"]
    assert faces.keys() == {1}
    assert portraits_in(folder / "report.html") == faces
    longer = ("--set", "segments.min_s=2")
    segments = (folder / "segments.csv").read_text()
    captions = (folder / "timeline.vtt").read_text()
    other = run("run", clip, "-o", tmp_path, *OPTIONS, *longer)
    assert analysed(other) == set()
    assert changes(folder)["timeline.csv"] == before["timeline.csv"]
    assert (folder / "segments.csv").read_text() != segments
    assert (folder / "timeline.vtt").read_text() != captions  # Exports agree with the segments.
    assert summary(folder)["settings"]["segments"]["min_s"] == 2
    again = run("run", clip, "-o", tmp_path, *OPTIONS, *longer)
    assert "1 left as they are" in again.stdout


def test_index_and_ledger_list_all_results_in_the_folder(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("run", videos / "broken.mp4", "-o", out, *OPTIONS)
    run("run", videos / "day 1", "-o", out, *OPTIONS)
    last = run("run", videos / CLIPS[0], "-o", out, *OPTIONS)
    assert last.returncode == 0, last.stderr
    batch = json.loads((out / "batch.json").read_text())
    assert (batch["videos"], batch["complete"], batch["failed"], batch["waiting"]) == (3, 2, 1, 0)
    assert {result["folder"] for result in batch["results"]} == {*CLIPS, "broken.mp4"}
    page = (out / "index.html").read_text()
    assert page.count('"status": "complete"') == 2
    assert page.count('"status": "failed"') == 1
    assert all(f'"report": "{clip}/report.html"' in page for clip in CLIPS)


def test_the_ledger_is_renewed_while_a_video_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.run.ledger.WRITE_INTERVAL_S", 0)
    job = Job(tmp_path / "a.mp4", tmp_path / "out" / "a.mp4")
    ledger = Ledger(
        tmp_path / "out", [job], {}, Provenance({}, {}, {}, ""), FolderAnnotations(tmp_path)
    )
    written = (tmp_path / "out" / "batch.json").stat().st_mtime_ns
    LedgerReporter(Reporter(), ledger).advanced(job, 100)
    assert (tmp_path / "out" / "batch.json").stat().st_mtime_ns > written


def test_an_analysis_goes_on_when_nobody_reads_what_it_prints(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    process = start("run", samples["no_face.mp4"], "-o", tmp_path, *OPTIONS)
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=120) == 0
    assert summary(tmp_path / "no_face.mp4")["status"] == "complete"
