"""The end of the chain: writes all results of one video."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from configs.errors import explain
from configs.schema import Settings
from pipeline.result_folders import TABLE
from pipeline.results.ending import end_without_recorder
from pipeline.results.exports.writers import write_exports
from pipeline.results.folder import (
    FILM,
    STILL,
    results_in,
    save_summary,
)
from pipeline.results.person import usable_share
from pipeline.results.recording_files import StreamFiles, VideoFiles
from pipeline.results.report import write_report
from pipeline.results.summary import Provenance, Status, Summary
from pipeline.results.video_result import Recorded, VideoResult, read_result, strip_of
from pipeline.sources import Job, Stream
from stages.batch import FrameBatch, VideoInfo
from stages.write.files import write_atomically
from stages.write.portraits import Portraits, Still


class Recorder:
    """Takes the finalised batches of one video in order; then ``finish``.

    Attributes:
        newest: the batch that was written last.
        portraits: the best picture so far of each person's face; none if faces are blurred.

    Raises:
        OutputError: when a result cannot be written; ``finish`` then still keeps what can be kept.
    """

    def __init__(
        self, job: Job | Stream, info: VideoInfo, settings: Settings, provenance: Provenance
    ) -> None:
        self._job, self._info, self._provenance = job, info, provenance
        self._settings, self._started_at = settings, _now()
        self._input = job.identity()
        self._input_sha256: str | None = None
        self.portraits = Portraits(info)
        self._still = Still(info, settings.video.blur)
        self._damage: list[str] = []
        self._turn = self._left_out = self._before_part = 0
        self.newest: FrameBatch | None = None
        self._files: VideoFiles | StreamFiles = (
            StreamFiles(job, info, settings, provenance.outputs)
            if isinstance(job, Stream)
            else VideoFiles(job, info, settings, provenance.outputs)
        )

    @property
    def problem(self) -> str | None:
        """Why the newest frames of a live stream could not be written; None if they could."""
        return self._files.problem if isinstance(self._files, StreamFiles) else None

    def process(self, batch: FrameBatch) -> None:
        if batch.turn is not None:
            self._turn = batch.turn
        self._left_out += batch.left_out
        self._before_part += batch.before_part
        self._input_sha256 = batch.input_sha256 or self._input_sha256
        if batch.damage:
            self._damage.append(batch.damage)
        self.newest = batch
        self._files.write(batch)
        if not self._settings.video.blur:
            self.portraits.process(batch)
        self._still.process(batch)

    def finish(
        self,
        cut_short: str | None = None,
        dropped: int = 0,
        live: dict[str, Any] | None = None,
        unwritten: str | None = None,
    ) -> Summary:
        """Complete all files that can be completed, the summary last; raises nothing.

        Args:
            cut_short: why the frames ended before the video did; None if they did not.
            dropped: number of frames that were dropped.
            live: for ``Summary.live``.
            unwritten: why the last batches could not be written.
        """
        if unwritten:
            self._files.unwritten.append(unwritten)
        try:
            return self._finish(cut_short, dropped, live)
        except Exception as error:
            return end_without_recorder(self._job, explain(error), self._provenance)

    def _finish(self, cut_short: str | None, dropped: int, live: dict[str, Any] | None) -> Summary:
        files, problems = self._files, [*self._damage, *([cut_short] if cut_short else [])]
        result: VideoResult | None = None
        if files.rows.frames:
            files.finish(cut_short is not None)
        else:
            files.discard()
        live = self._with_losses(live)
        if files.rows.frames and files.table_serves:
            try:
                result = self._read_back(live)
                files.unwritten += write_exports(result, self._job.folder, self._settings)
            except Exception as error:  # Such as a table that was deleted meanwhile.
                files.unwritten.append(explain(error))
        problems += [*files.film_problems, *files.unwritten]
        whole = (self._job.folder / TABLE).exists()
        status: Status = "failed" if not whole else "partial" if problems else "complete"
        summary = Summary(
            source=self._job.label,
            status=status,
            reason="; ".join(dict.fromkeys(problems)) or None,
            frames=files.rows.frames,
            duration_s=round(files.rows.duration_s, 6),
            faces=files.rows.faces,
            tracks=files.rows.people,
            without_face=files.rows.empty,
            left_out={"every": self._left_out, "before_part": self._before_part},
            dropped=dropped,
            input=self._input,
            input_sha256=None if cut_short else self._input_sha256,
            started_at=self._started_at,
            ended_at=_now(),
            interrupted=bool(cut_short or files.unwritten),
            live=live,
            video={
                "width": self._info.width,
                "height": self._info.height,
                "rate": round(float(self._info.rate), 3),
                "codec": self._info.codec,
                "rotate": self._info.rotate,
                "start_s": round(self._info.start_s, 6),
            },
            usable_share=usable_share(result.timeline) if result else None,
            people=tuple(asdict(person) for person in result.people) if result else (),
            strip=strip_of(result) if result else "",
            warnings=(*self._turn_warnings(), *self._left_out_warnings()),
        )
        if result is not None:
            try:
                self._write_still()
                events = self._job.events if isinstance(self._job, Job) else ()
                faces = self.portraits.jpegs()
                write_report(result, summary, faces, self._job.folder, events)
            except Exception as error:
                reason = "; ".join(dict.fromkeys([*problems, explain(error)]))
                summary = replace(summary, status="partial", reason=reason, interrupted=True)
        kept = tuple(path.name for path in results_in(self._job.folder))
        summary = replace(summary, files=kept)
        return save_summary(
            summary, self._job.folder, self._provenance, live=isinstance(self._job, Stream)
        )

    def _write_still(self) -> None:
        jpeg = self._still.jpeg()
        if jpeg is not None:
            write_atomically(self._job.folder / STILL, jpeg)

    def _left_out_warnings(self) -> tuple[str, ...]:
        """Whether all faces were left out, as each was seen for too short a time."""
        rows, min_s = self._files.rows, self._settings.track.min_s
        if rows.faces or not rows.left_out:
            return ()
        return (
            f"faces were found {rows.left_out} times, but none for {min_s:g} s in all; they were "
            "taken for false detections and left out; --set track.min_s=0 keeps them",
        )

    def _turn_warnings(self) -> tuple[str, ...]:
        """Whether pictures lie on their side, or were turned because they did."""
        if self._turn:
            return (
                f"faces are not upright: --set read.rotate={self._turn} turns the pictures "
                "clockwise so that they are; expressions of faces that lie are not to be trusted",
            )
        if self._settings.read.rotate == "auto" and self._info.rotate:
            return (f"pictures were turned by {self._info.rotate} degrees clockwise, for faces",)
        return ()

    def _with_losses(self, live: dict[str, Any] | None) -> dict[str, Any] | None:
        """For ``Summary.live``: with the gaps in the table, whatever their cause, and pieces."""
        if live is None or not isinstance(self._files, StreamFiles):
            return live
        gaps = [*live["gaps"], *map(asdict, self._files.losses)]
        return {
            **live,
            "gaps": sorted(gaps, key=lambda gap: gap["from_s"]),
            "pieces": [asdict(piece) for piece in self._files.pieces],
        }

    def _read_back(self, live: dict[str, Any] | None) -> VideoResult:
        folder, film = self._job.folder, self._job.folder / FILM
        recorded = Recorded(
            source=Path(self._job.label),
            film=film if film.exists() else Path(self._job.source),
            film_starts_s=self._info.start_s,
            provenance=self._provenance,
            gaps_s=[gap["from_s"] for gap in live["gaps"]] if live else (),
        )
        return read_result(folder / TABLE, recorded, self._settings)

    def discard(self) -> None:
        """Delete what was written."""
        self._files.discard()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
