"""Progress on a terminal: within the window, all videos first, failures named as they happen."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from configs.schema import ReadSettings
from pipeline.progress import TerminalReporter
from pipeline.results.summary import Status, Summary
from pipeline.sources import Job
from pipeline.terminal import closing_table
from stages.batch import VideoInfo
from stages.read.video_reader import VideoReader


@pytest.fixture(scope="module")
def info(samples: dict[str, Path]) -> VideoInfo:
    with VideoReader(samples["single_face.mp4"], ReadSettings()) as reader:
        return replace(reader.info, frames=100)


def shown(reporter: TerminalReporter, console: Console) -> list[str]:
    """The lines of the bars as they are now."""
    paper = io.StringIO()
    bars = reporter._bars.get_renderable()
    Console(file=paper, width=console.width, color_system=None).print(bars)
    return paper.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80])
def test_the_closing_table_is_readable_in_any_window(width: int) -> None:
    paper = io.StringIO()
    console = Console(file=paper, width=width, color_system=None)
    job = Job(Path("interview.mp4"), Path("out/interview.mp4"))
    summary = Summary(job.label, "complete", frames=123456, faces=654321, tracks=12)
    console.print(closing_table(Path("out"), [(job, summary)], width))
    header, row = paper.getvalue().splitlines()
    assert row.split()[:2] == ["interview.mp4", "complete"]
    assert row.split()[-1] == "12"
    assert ("frames" in header) is (width == 80)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 8), (40, 24), (200, 5)])
def test_progress_of_many_videos_stays_within_the_window(
    info: VideoInfo, width: int, height: int
) -> None:
    paper = io.StringIO()
    console = Console(
        file=paper, force_terminal=True, width=width, height=height, color_system=None
    )
    jobs = [Job(Path(f"{'interview ' * 8}{number}.mp4"), Path(f"{number}")) for number in range(30)]
    with TerminalReporter(console, len(jobs)) as reporter:
        for job in jobs:
            reporter.started(job, info)
            reporter.advanced(job, 50)
        lines = shown(reporter, console)
        assert lines[0].startswith("0 of 30")
        assert " 50%" in lines[0]  # Each is half done.
        assert len(lines) <= height - 1
        assert max(map(len, lines)) <= width
        assert len(lines) == 31 or lines[-1].strip() == f"and {32 - len(lines)} more"
        for number, job in enumerate(jobs):
            status: Status = "failed" if number == 3 else "complete"
            reason = "no video stream in it" if number == 3 else None
            reporter.finished(job, Summary(job.label, status, reason))
        assert shown(reporter, console)[0].startswith("30 of 30, 1 failed")
    told = paper.getvalue().replace("\n", "")
    assert f"{jobs[3].label}: failed: no video stream in it" in told
