"""Analyse videos from Python: ``from pipeline import analyse, load``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Literal

from configs.addresses import without_secrets
from configs.errors import SourceError, UsageError
from configs.load import settings_from, with_changes
from configs.schema import Settings
from pipeline.places import SUMMARY
from pipeline.progress import progress_shown
from pipeline.results.tables import table_of
from pipeline.run.batch import open_batch
from pipeline.run.plan.networks import provenance_of, with_runnable_models
from pipeline.run.reporter import Reporter
from pipeline.sources import Job, find_jobs, is_camera_source
from pipeline.study.annotations import FolderAnnotations
from pipeline.study.load import load, people_of_video
from pipeline.terminal import err_console

if TYPE_CHECKING:
    import pandas

__all__ = ["Result", "analyse", "load"]


@dataclass(frozen=True)
class Result:
    """The results of one video. Tables are read from its folder when they are first asked for.

    Attributes:
        folder: with all files of the results.
        summary: what ``summary.json`` holds; its ``status`` is ``complete`` or ``partial``.

    Raises:
        SourceError: by a table that cannot be read, or that a partial result lacks.
    """

    folder: Path
    summary: dict[str, Any] = field(repr=False)

    @cached_property
    def timeline(self) -> pandas.DataFrame:
        """A row for each face of each frame, and for each frame without one."""
        return table_of(self.folder, "timeline")

    @cached_property
    def segments(self) -> pandas.DataFrame:
        """A row for each run of one expression of one person."""
        return table_of(self.folder, "segments")

    @cached_property
    def people(self) -> pandas.DataFrame:
        """A row for each person; ``load`` explains the columns."""
        return people_of_video(self.folder)


def analyse(
    video: str | Path,
    out: str | Path = "timelines",
    *,
    executor: Literal["ray", "local"] | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    progress: bool = False,
) -> Result:
    """Analyse a video, and wait for its results; if they are there already, return them.

    It may be called from any thread and from notebooks, in several threads at once with an output
    folder each. It changes no signal handlers. Ray runs one analysis at a time, and further ones
    wait for their turn; those of the executor ``local`` do not.

    Args:
        video: a recorded video, or numbered pictures, with the setting ``read.rate``.
        out: output folder; the video gets a folder in it, named after its file.
        executor: ``ray``: stages are actors, also on other machines; ``local``: threads of this
            process, which start sooner; None: what the settings say, ``ray`` by default.
        settings: what differs from ``configs/default.yaml``, such as ``{"detect.width_px": 960}``
            or, by section, ``{"detect": {"width_px": 960}}``; or all of them, as
            ``configs.load.load_settings("crowd")`` returns them.
        progress: show the progress on standard error; nothing is printed otherwise.

    Returns:
        The result, whose ``summary["status"]`` is ``complete``; or ``partial`` where the video is
        damaged, and the tables have what could be decoded.

    Raises:
        SourceError: the video cannot be analysed; the message has its name and the reason.
        OutputError: results cannot be written.
        UsageError: an argument or a setting is wrong, or another run is at work in ``out``.
        EmotionTimelinesError: Ray cannot be started, or died too often; root of those above.

    Example:
        result = analyse("interview.mp4", out="timelines", executor="local")
        result.segments[result.segments.emotion == "happy"]
    """
    chosen = settings if isinstance(settings, Settings) else settings_from(settings or {})
    if executor is not None:
        chosen = with_changes(chosen, {"executor": {"kind": executor}}, "analyse")
    chosen = with_runnable_models(chosen)
    job = _job(video, Path(out), chosen)
    call = f"analyse({str(video)!r}, out={str(out)!r})"
    provenance = provenance_of(chosen, call)
    annotations = FolderAnnotations(Path(out))
    with open_batch([job], Path(out), chosen, provenance, "what is missing", annotations) as batch:
        if batch.split.todo:
            with _reporter(progress) as reporter:
                batch.run(reporter, stop=Event())
    summary = batch.summaries[job]
    if summary.status == "failed":
        raise SourceError(f"{job.source}: {summary.reason}")
    folder = job.folder.absolute()
    return Result(folder, json.loads((folder / SUMMARY).read_text(encoding="utf-8")))


def _job(video: str | Path, out: Path, settings: Settings) -> Job:
    if is_camera_source(str(video)):
        raise UsageError(
            f"{without_secrets(str(video))}: analyse takes a recorded video, by its path; "
            "for cameras and network streams there is the command run"
        )
    jobs, problems = find_jobs([str(video)], out, pictures=settings.read.rate is not None)
    if problems:
        raise problems[0]
    if len(jobs) > 1:
        raise UsageError(f"{video}: these are {len(jobs)} videos; analyse takes one at a time")
    return jobs[0]


def _reporter(progress: bool) -> AbstractContextManager[Reporter]:
    return progress_shown(err_console, 1) if progress else nullcontext(Reporter())
