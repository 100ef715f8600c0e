"""Parts of the chain as classes that take one video after the other.

The Ray executor makes actors of them; they do not know Ray. ``load`` imports and loads what one
runs, and nothing else, so that its process starts sooner and takes less memory. It may be called
before a video is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.chain import Recording, find_stages, open_reader, through
from pipeline.run.machine import give_memory_back

if TYPE_CHECKING:
    from configs.schema import Settings
    from pipeline.chain import Stage
    from pipeline.results.summary import Provenance, Summary
    from pipeline.sources import Job
    from stages.batch import FrameBatch, VideoInfo
    from stages.faces.detector import Detector
    from stages.read.video_reader import VideoReader


class ReaderActor:
    """Reads one video after the other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader: VideoReader | None = None

    def load(self) -> None:
        import stages.read.video_reader  # noqa: F401

    def open(self, job: Job) -> VideoInfo:
        self.close()
        self._reader = open_reader(job, self._settings)
        return self._reader.info

    def batches(self) -> Iterator[FrameBatch]:
        assert self._reader is not None
        yield from self._reader.batches()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.__exit__()
            self._reader = None
            give_memory_back()


class FinderActor:
    """Finds the faces of one video after the other; its detector is loaded once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._detector: Detector | None = None
        self._stages: Sequence[Stage] = ()

    def load(self) -> None:
        import cv2

        from stages.faces.detect import make_detector

        cv2.setNumThreads(1)
        self._detector = self._detector or make_detector(self._settings.detect)

    def open(self, info: VideoInfo) -> None:
        self.load()  # If it failed before, the error is this video's reason.
        assert self._detector is not None
        self._stages = find_stages(self._detector, info, self._settings)

    def process(self, batch: FrameBatch) -> FrameBatch:
        return through(self._stages, batch).without_pixels()


class NetworkActor:
    """A network for several lanes; the faces that arrive during one call go into the next."""

    def __init__(self, settings: Settings, number: int) -> None:
        from stages.classify import NetworkStage

        self._stage = NetworkStage(settings, number)
        self._waiting: list[tuple[FrameBatch, asyncio.Future[FrameBatch]]] = []
        self._working = asyncio.Lock()

    async def outputs_of(self, batch: FrameBatch) -> FrameBatch:
        done: asyncio.Future[FrameBatch] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, done))
        async with self._working:
            if not done.done():
                await self._take_waiting()
        return await done

    async def answer(self) -> None:
        """Returns at once, unless the actor hangs."""

    async def _take_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        batches = [batch for batch, _ in waiting]
        try:
            results = await asyncio.to_thread(self._stage.outputs_of, batches)
        except Exception as error:
            for _, done in waiting:
                done.set_exception(error)
            return
        for (_, done), result in zip(waiting, results, strict=True):
            done.set_result(result)


class RecorderActor:
    """Records one video after the other."""

    def __init__(self, settings: Settings, provenance: Provenance) -> None:
        self._settings, self._provenance = settings, provenance
        self._recording: Recording | None = None
        self._finishing = False

    def load(self) -> None:
        import cv2

        import pipeline.results.recorder  # noqa: F401

        cv2.setNumThreads(1)

    def open(self, job: Job, info: VideoInfo) -> None:
        self._recording = Recording(job, info, self._settings, self._provenance)

    def process(self, found: FrameBatch, frames: FrameBatch, *given: FrameBatch) -> int:
        """Take a batch.

        Args:
            found: as the finder gives it.
            frames: as the reader gives it.
            given: as each network gives it.
        """
        assert self._recording is not None
        faces = found.with_outputs(*given).without_crops()
        return self._recording.process(faces.with_pixels_of(frames))

    def finish(self, cut_short: str | None) -> Summary:
        if self._recording is None:
            raise RuntimeError("no video is open")
        recording, self._recording, self._finishing = self._recording, None, True
        try:
            return recording.finish(cut_short)
        finally:
            self._finishing = False
            del recording
            give_memory_back()

    def is_finishing(self) -> bool:
        """Whether ``finish`` is at work; asked from another thread."""
        return self._finishing
