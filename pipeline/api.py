"""Analyse videos from Python: ``from emotion_timelines import analyse, load``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, overload

from configs.addresses import without_secrets
from configs.errors import SourceError, UsageError
from configs.load import load_settings, settings_from, with_changes
from configs.schema import Settings
from pipeline.progress import progress_shown
from pipeline.result_folders import SUMMARY
from pipeline.results.summary import Summary
from pipeline.run.executor import Reporter
from pipeline.run.provenance import provenance_of, with_runnable_models
from pipeline.run.video_batch import open_batch
from pipeline.sources import Job, find_jobs, is_camera_source
from pipeline.study.annotations import FolderAnnotations
from pipeline.study.load_tables import load, table_of
from pipeline.terminal import err_console

if TYPE_CHECKING:
    import pandas

__all__ = ["Result", "analyse", "load", "load_settings"]


@dataclass(frozen=True)
class Result:
    """The results of one video. Tables are read from its folder when they are first asked for.

    Attributes:
        folder: with all files of the results.
        summary: what ``summary.json`` holds. Its ``status`` is ``complete``, ``partial`` or, of one
            video of several, ``failed``, for a ``reason``.

    Raises:
        SourceError: by a table that cannot be read, or that is not there, as of what failed.
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
        return load(self.folder, "people").drop(columns="video")


Executor = Literal["ray", "local"]
SomeSettings = Settings | Mapping[str, Any]


@overload
def analyse(  # type: ignore[overload-overlap]  # A text is itself a sequence of texts.
    videos: str | Path,
    out: str | Path = ...,
    *,
    executor: Executor | None = ...,
    settings: SomeSettings | None = ...,
    progress: bool = ...,
) -> Result: ...


@overload
def analyse(
    videos: Iterable[str | Path],
    out: str | Path = ...,
    *,
    executor: Executor | None = ...,
    settings: SomeSettings | None = ...,
    progress: bool = ...,
) -> list[Result]: ...


def analyse(
    videos: str | Path | Iterable[str | Path],
    out: str | Path = "timelines",
    *,
    executor: Executor | None = None,
    settings: SomeSettings | None = None,
    progress: bool = False,
) -> Result | list[Result]:
    """Analyse one video or several, and wait for results; those that are there are returned.

    It may be called from any thread and from notebooks, in several threads at once with an output
    folder each. It changes no signal handlers. Ray runs one analysis at a time, and further ones
    wait for their turn; those of the executor ``local`` do not.

    Args:
        videos: a recorded video; numbered pictures, with the setting ``read.rate``; a folder, which
            is searched with all below it, or a pattern; or several of these. For a type checker, a
            folder has to be one of several: ``[folder]``.
        out: output folder; each video gets a folder in it, named after its file.
        executor: ``ray``: stages are actors, also on other machines, and several videos are
            analysed at a time; ``local``: threads of this process, which start sooner; None: what
            the settings say, ``ray`` by default.
        settings: what differs from ``configs/default.yaml``, such as ``{"detect.width_px": 960}``
            or, by section, ``{"detect": {"width_px": 960}}``; or all of them, as
            ``load_settings("crowd")`` returns them.
        progress: show the progress on standard error; nothing is printed otherwise.

    Returns:
        Of one video its result, whose ``summary["status"]`` is ``complete``; or ``partial`` where
        the video is damaged, and the tables have what could be decoded. Of several, of a folder
        and of a pattern a list: a result for each video, each video once, in the order given, and
        by name within a folder. One that failed is in the list with the status ``failed``.

    Raises:
        SourceError: the only video cannot be analysed, or there is no video where one of several
            should be, and none is analysed; the message has the name and the reason.
        OutputError: results cannot be written.
        UsageError: an argument or a setting is wrong, or another run is at work in ``out``.
        EmotionTimelinesError: Ray cannot be started, or died too often; root of those above.

    Example:
        result = analyse("interview.mp4", out="timelines", executor="local")
        result.segments[result.segments.emotion == "happy"]
        for result in analyse(["a.mp4", "b.mp4"]):
            print(result.folder.name, result.summary["status"], result.summary["reason"])
    """
    chosen = settings if isinstance(settings, Settings) else settings_from(settings or {})
    if executor is not None:
        chosen = with_changes(chosen, {"executor": {"kind": executor}}, "analyse")
    chosen, folder = with_runnable_models(chosen), Path(out)
    given = [videos] if isinstance(videos, str | Path) else videos
    sources = [str(video) for video in given]
    jobs = _jobs(sources, folder, chosen)
    if not jobs:
        return []
    first = repr(sources[0]) if len(sources) == 1 else f"[{sources[0]!r}, ...]"
    provenance = provenance_of(chosen, f"analyse({first}, out={str(out)!r})")
    annotations = FolderAnnotations(folder)
    with open_batch(jobs, folder, chosen, provenance, "what is missing", annotations) as batch:
        if batch.split.todo:
            with _reporter(progress, len(batch.split.todo)) as reporter:
                batch.run(reporter, stop=Event())
    results = [_result(job, summary) for job, summary in batch.summaries.items()]
    if not isinstance(videos, str | Path) or [job.source for job in jobs] != [Path(videos)]:
        return results
    if results[0].summary["status"] == "failed":
        raise SourceError(f"{jobs[0].source}: {results[0].summary['reason']}")
    return results[0]


def _jobs(sources: list[str], out: Path, settings: Settings) -> list[Job]:
    for source in filter(is_camera_source, sources):
        raise UsageError(
            f"{without_secrets(source)}: analyse takes recorded videos, by their paths; "
            "for cameras and network streams there is the command run"
        )
    jobs, problems = find_jobs(sources, out, pictures=settings.read.rate is not None)
    if problems:
        raise problems[0]
    return jobs


def _result(job: Job, summary: Summary) -> Result:
    folder = job.folder.absolute()
    if summary.status == "failed":  # Its folder may be one that cannot be written.
        return Result(folder, asdict(summary))
    return Result(folder, json.loads((folder / SUMMARY).read_text(encoding="utf-8")))


def _reporter(progress: bool, videos: int) -> AbstractContextManager[Reporter]:
    return progress_shown(err_console, videos) if progress else nullcontext(Reporter())
