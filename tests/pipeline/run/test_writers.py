"""No error of a writer ends a batch, whatever it is; the table of good frames is kept."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from configs.load import load_settings
from pipeline.results import recorder
from pipeline.results.summary import Provenance
from pipeline.run import local_executor
from pipeline.run.executor import Reporter, Run
from pipeline.sources import Job
from stages.classify import load_network
from stages.write.timeline_table import TableWriter
from stages.write.video_writer import VideoWriter
from tests.pipeline.command import EXECUTORS, RESULTS, file_names, run, summary, timeline
from tests.stages.clips import make_clip


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_video_that_has_no_film_has_its_table_and_does_not_stop_the_others(
    tmp_path: Path, executor: str
) -> None:
    """H.264 has no pictures wider than 16384."""
    wide = make_clip(
        tmp_path / "wide.avi", "mjpeg", size=(17000, 64), pix_fmt="yuvj420p", frames=20
    )
    other = make_clip(tmp_path / "other.mp4", frames=5)
    outcome = run("run", wide, other, "-o", tmp_path / "out", "--executor", executor)
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr
    folder = tmp_path / "out" / wide.name
    facts = summary(folder)
    assert (facts["status"], facts["frames"], facts["interrupted"]) == ("partial", 20, False)
    assert "no annotated video can be made" in facts["reason"]
    assert len(timeline(folder)) == 20
    assert file_names(folder) == RESULTS - {"annotated.mp4"}
    assert summary(tmp_path / "out" / other.name)["status"] == "complete"


class UnforeseenError(Exception):
    """An error that nobody thought of."""


def raise_unforeseen(*_: object, **__: object) -> None:
    raise UnforeseenError("of its own kind")


@pytest.mark.parametrize(
    ("where", "method"),
    [
        (VideoWriter, "write"),
        (VideoWriter, "finish"),
        (TableWriter, "finish"),
        (recorder, "write_exports"),
        (recorder, "write_report"),
        (recorder, "read_result"),
        (recorder, "save_summary"),
        (recorder, "usable_share"),
    ],
)
def test_finish_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: object, method: str
) -> None:
    settings = load_settings(flags={"read.batch_frames": 4})
    jobs = [Job(make_clip(tmp_path / f"{n}.mp4", frames=20), tmp_path / f"out{n}") for n in "ab"]
    provenance = Provenance.of(settings, [load_network(settings)])
    monkeypatch.setattr(where, method, raise_unforeseen)
    local_executor.analyse(Run(jobs, settings, provenance, Reporter(), Event()))
    for job in jobs:
        facts = summary(job.folder)
        assert "of its own kind" in facts["reason"]
        table_fails = where is TableWriter
        assert facts["status"] == ("failed" if table_fails else "partial")
        assert (job.folder / "timeline.csv").exists() != table_fails
        assert table_fails or len(timeline(job.folder)) == 20
        assert not [name for name in file_names(job.folder) if name.startswith(".")]
