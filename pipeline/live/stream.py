"""Run one live stream through all stages, in one process: a thread receives, a loop does the rest.

The frames of a file go from actor to actor in large batches. Those of a live stream come one by
one, and a message between processes would cost more than all stages together.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from time import monotonic, time
from typing import Any

import cv2
import numpy as np

from configs.errors import EmotionTimelinesError, OutputError, ThreadDiedError, explain
from pipeline.chain import Recording, find_stages, through
from pipeline.results.ending import end_without_recorder
from pipeline.results.pages import for_pages
from pipeline.results.recorder import Recorder
from pipeline.results.summary import Provenance, Summary, public_settings
from pipeline.run.machine import give_memory_back, with_threads
from pipeline.sources import Stream
from stages.batch import NOBODY, FrameBatch, Gap
from stages.classify import network_stages
from stages.colours import to_bgr
from stages.faces.detect import make_detector
from stages.frames import yuv_planes
from stages.read.live import LiveReader
from stages.write.annotate import Annotator
from stages.write.files import output_errors_name

CPUS_PER_STREAM = 1
RATE_WINDOW_S = 5.0
MAX_LATENCIES = 600
JPEG_QUALITY = 80
MAX_SIZES = 1000


@dataclass(frozen=True)
class StreamStatus:
    """The state of a live stream, for the page, the terminal and programs.

    Attributes:
        name, source: its name, and its address without secrets.
        state: ``connecting``, ``live``, ``reconnecting`` or ``ended``.
        reason: why it is not live, or why what it records cannot be written.
        time_s: end of its timeline so far.
        frames, faces, people: in its timeline so far.
        frames_per_s: throughput over the last seconds.
        latency_p50_ms, latency_p95_ms: median and 95th percentile of the time from a frame's
            arrival to its rows in the table, over the last frames.
        dropped: frames dropped because the stages were too slow.
        lost: number of times that the connection was lost.
        idle_s: time since its loop last made progress.
        outputs: what networks give beyond the seven expressions: ``name``, ``low``, ``high`` and
            ``unit`` of each column.
    """

    name: str
    source: str
    state: str
    reason: str | None = None
    time_s: float = 0.0
    frames: int = 0
    faces: int = 0
    people: int = 0
    frames_per_s: float = 0.0
    latency_p50_ms: float = 0.0
    latency_p95_ms: float = 0.0
    dropped: int = 0
    lost: int = 0
    idle_s: float = 0.0
    outputs: tuple[dict[str, Any], ...] = ()


class LiveStream:
    """Analyses one stream. ``run`` blocks; the other methods may be called from other threads."""

    def __init__(self, stream: Stream, provenance: Provenance) -> None:
        self._stream = stream
        self._provenance = replace(provenance, settings=public_settings(stream.settings))
        cv2.setNumThreads(1)
        self._stopping, self._given_up = threading.Event(), threading.Event()
        self._recording: Recording | None = None
        self._reader: LiveReader | None = None
        self._newest: FrameBatch | None = None
        self._recent = RecentFaces(stream.settings.segments.min_confidence)
        self._written: deque[tuple[float, int]] = deque()
        self._latencies_s: deque[float] = deque(maxlen=MAX_LATENCIES)
        self._sizes: deque[dict[str, Any]] = deque(maxlen=MAX_SIZES)
        self._faces = self._people = 0
        self._moved_s = self._observed_s = monotonic()
        self._ended: Summary | None = None
        self._outputs = tuple(for_pages(provenance.outputs))

    def run(self) -> Summary:
        """Analyse until the stream ends, reaches a limit of its settings, or is stopped.

        Raises:
            EmotionTimelinesError: an error broke it off, so that a new recording should begin; the
                files of this one are complete up to there, its summary included.
        """
        broken: Exception | None = None
        cut_short = None
        try:
            cut_short = self._record()
        except Exception as error:  # Whatever is wrong with one stream, the others go on.
            cut_short, broken = explain(error), error if _may_be_better_next_time(error) else None
        if self._given_up.is_set():
            raise ThreadDiedError("it was given up")
        cut_short = self._shown(cut_short)
        if self._recording is None:
            reason = cut_short or self._without_picture()
            self._ended = end_without_recorder(self._stream, reason, self._provenance, False)
        else:
            dropped = self._reader.dropped if self._reader else 0
            self._ended = self._recording.finish(cut_short, dropped, self._summary_of_live())
        if broken is not None:
            raise EmotionTimelinesError(cut_short) from broken
        return self._ended

    def _record(self) -> str | None:
        """Take frames through all stages; returns why the stream came to its end, if it did."""
        stream = self._stream
        with output_errors_name(stream.folder):
            stream.folder.mkdir(parents=True, exist_ok=True)
        settings = with_threads(stream.settings, CPUS_PER_STREAM)
        detector, networks = make_detector(settings.detect), network_stages(settings)
        with LiveReader(stream.address, settings.live) as reader:
            self._reader = reader
            for batch in reader.batches():
                self._moved_s = monotonic()
                if self._stopping.is_set():
                    break
                if not len(batch):
                    continue
                if batch.after_gap:
                    give_memory_back()
                if batch.info is not None:
                    self._sizes.append(_size_from(batch))
                if self._recording is None:
                    assert batch.info is not None
                    found = find_stages(detector, batch.info, settings, live=True)
                    stages = [*found, *networks]
                    self._recording = Recording(stream, batch.info, settings, self._provenance)
                self._recording.process(through(stages, batch).without_crops())
                if self._recording.recorder.newest is not None:
                    self._observe(self._recording.recorder.newest)
            return reader.reason if reader.state == "ended" else None

    def _without_picture(self) -> str:
        """Why there is no result although nothing failed."""
        reason = self._shown(self._reader.reason) if self._reader else None
        if reason:
            return f"no picture came: {reason}"
        if self._stopping.is_set():
            return "no picture came before it was stopped"
        return f"no picture came within {self._stream.settings.live.duration_s:g} s"

    def stop(self) -> None:
        """Ask ``run`` to complete its files and return."""
        self._stopping.set()

    def give_up(self) -> None:
        """Have ``run`` return as soon as it can, and leave the files to whoever gave it up."""
        self._given_up.set()
        self._stopping.set()

    def status(self) -> StreamStatus:
        reader, now_s = self._reader, monotonic()
        status = StreamStatus(
            self._stream.name, self._stream.source, "connecting", outputs=self._outputs
        )
        if reader is None:
            return status
        p50, p95 = self._latency_ms()
        newest = self._newest
        # A copy, as the other thread keeps adding to it.
        written = list(self._written)
        recent_frames = sum(count for at_s, count in written if now_s - at_s <= RATE_WINDOW_S)
        return replace(
            status,
            state="ended" if self._ended else reader.state,
            reason=self._ended.reason if self._ended else self._shown(self._problem(reader)),
            time_s=round(float(newest.time_s[-1]), 3) if newest else 0.0,
            frames=newest.first_frame + len(newest) if newest else 0,
            faces=self._faces,
            people=self._people,
            frames_per_s=round(recent_frames / RATE_WINDOW_S, 1),
            latency_p50_ms=p50,
            latency_p95_ms=p95,
            dropped=reader.dropped,
            lost=reader.lost,
            idle_s=0.0 if self._ended else round(now_s - self._moved_s, 1),
        )

    @property
    def _recorder(self) -> Recorder | None:
        return self._recording.recorder if self._recording else None

    def _problem(self, reader: LiveReader) -> str | None:
        recorder = self._recorder
        return reader.reason or (recorder.problem if recorder else None)

    def picture(self, width_px: int | None = None) -> bytes | None:
        """The newest frame, annotated, as JPEG; None if there is none.

        Args:
            width_px: scale it down to this width; None for its own.
        """
        batch, info = self._newest, self._reader.info if self._reader else None
        if batch is None or info is None:
            return None
        pixels = batch.pixels[-1].copy()
        width, height = pixels.shape[1], len(pixels) * 2 // 3
        blur = self._stream.settings.video.blur
        Annotator(width, height, info.colorspace, blur).draw(
            yuv_planes(pixels), batch, len(batch) - 1
        )
        shown = min(width, width_px or width)
        image = to_bgr(pixels, info.colorspace, (shown, max(1, round(height * shown / width))))
        return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()

    def face(self, track: int) -> bytes | None:
        """The best picture so far of a person's face, as JPEG; None if there is none."""
        recorder = self._recorder
        return recorder.portraits.jpeg(track) if recorder else None

    def recent(self, since_s: float) -> dict[str, Any]:
        """The last minute.

        Args:
            since_s: only faces later than this, on the timeline.

        Returns:
            ``until_s``: where the timeline is now, also while nothing comes. ``points``: faces, as
            of ``RecentFaces.since``. ``faces``: by track, how many pictures ``face`` has had so
            far. ``gaps``: when nothing came, ``from_s`` when ``to_s`` and for what ``reason``;
            ``to_s`` is None while nothing comes.
        """
        reader, newest, recorder = self._reader, self._newest, self._recorder
        if reader is None or newest is None or recorder is None:
            return {"until_s": 0.0, "points": [], "faces": {}, "gaps": []}
        last_s, points = float(newest.time_s[-1]), self._recent.since(since_s)
        waited_s = monotonic() - self._observed_s if reader.state == "reconnecting" else 0.0
        pictures = {track: recorder.portraits.pictures_of(track) for track in _tracks_in(points)}
        return {
            "until_s": round(last_s + waited_s, 3),
            "points": points,
            "faces": {track: count for track, count in pictures.items() if count},
            "gaps": [
                gap
                for gap in self._gaps(list(reader.gaps))
                if gap["to_s"] is None or gap["to_s"] > last_s - RECENT_S
            ],
        }

    def _observe(self, batch: FrameBatch) -> None:
        """Keep what ``status``, ``picture`` and ``recent`` return."""
        if not len(batch):
            return
        written_at, now_s = time(), monotonic()
        self._latencies_s.extend((written_at - batch.arrived_s).tolist())
        self._written.append((now_s, len(batch)))
        while now_s - self._written[0][0] > RATE_WINDOW_S:
            self._written.popleft()
        self._faces += int((batch.people != NOBODY).sum())
        self._people = max(self._people, int(batch.people.max(initial=0)))
        self._newest, self._observed_s = batch, now_s
        self._recent.take(batch)

    def _gaps(self, gaps: Sequence[Gap]) -> list[dict[str, Any]]:
        return [{**asdict(gap), "reason": self._shown(gap.reason)} for gap in gaps]

    def _shown(self, reason: str | None) -> str | None:
        return reason and self._stream.without_address(reason)

    def _latency_ms(self) -> tuple[float, float]:
        latencies_s = list(self._latencies_s)
        if not latencies_s:
            return 0.0, 0.0
        p50, p95 = np.percentile(latencies_s, (50, 95)) * 1000
        return round(float(p50), 1), round(float(p95), 1)

    def _summary_of_live(self) -> dict[str, Any]:
        """For ``Summary.live``."""
        assert self._reader is not None
        p50, p95 = self._latency_ms()
        return {
            "name": self._stream.name,
            "started_at": datetime.fromtimestamp(self._reader.started_at, UTC).isoformat(),
            "latency_p50_ms": p50,
            "latency_p95_ms": p95,
            "lost": self._reader.lost,
            "gaps": self._gaps(self._reader.gaps),
            "sizes": list(self._sizes),
        }


def _tracks_in(points: Sequence[dict[str, Any]]) -> set[int]:
    return {point["track"] for point in points}


def _size_from(batch: FrameBatch) -> dict[str, Any]:
    """The size that the picture has from a batch on."""
    assert batch.info is not None
    from_s = round(float(batch.time_s[0]), 6)
    return {"from_s": from_s, "width": batch.info.width, "height": batch.info.height}


def _may_be_better_next_time(error: Exception) -> bool:
    """Whether an error is unforeseen or has to do with this recording, not with the settings."""
    return isinstance(error, OutputError | ThreadDiedError) or not isinstance(
        error, EmotionTimelinesError
    )


RECENT_S = 60.0
POINTS_PER_S = 5
MAX_POINTS = 10_000
"""Bounds memory, and what a viewer fetches at first, where a crowd walks by."""


class RecentFaces:
    """Keeps a few faces a second. One thread adds to it while others read.

    Args:
        min_confidence: as in ``SegmentSettings``.
    """

    def __init__(self, min_confidence: float) -> None:
        self._min_confidence = min_confidence
        self._points: deque[dict[str, Any]] = deque(maxlen=MAX_POINTS)
        self._last_s = -1.0

    def take(self, batch: FrameBatch) -> None:
        """Take a finalised batch that is not empty."""
        for index, time_s in enumerate(batch.time_s.tolist()):
            if time_s - self._last_s >= 1 / POINTS_PER_S - 1e-3:
                self._last_s = time_s
                self._points.extend(self._points_of(batch, index))
        while self._points and self._points[0]["time_s"] < batch.time_s[-1] - RECENT_S:
            self._points.popleft()

    def since(self, since_s: float) -> list[dict[str, Any]]:
        """Faces later than a time of the timeline.

        Returns:
            ``time_s``, ``track``, seven ``probabilities``, and whether these are ``low``: not to be
            relied on; ``values`` in the order of ``StreamStatus.outputs``, None for no number.
        """
        return [point for point in list(self._points) if point["time_s"] > since_s]

    def _points_of(self, batch: FrameBatch, index: int) -> list[dict[str, Any]]:
        within = batch.faces_of(index)
        values = batch.values.tolist() or [[]] * len(batch.boxes)  # Without further networks.
        return [
            {
                "time_s": round(float(batch.time_s[index]), 3),
                "track": int(batch.people[face]),
                "probabilities": [round(float(share), 3) for share in batch.probabilities[face]],
                "low": bool(
                    not batch.usable[face] or batch.probabilities[face].max() < self._min_confidence
                ),
                "values": [round(value, 4) if isfinite(value) else None for value in values[face]],
            }
            for face in range(within.start, within.stop)
            if batch.people[face] != NOBODY
        ]
