"""Every setting: its type, its limits, its default and what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction01 = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Threads = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A group of settings; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReadSettings(Section):
    batch_frames: Annotated[int, Field(ge=1, le=256)] = 16
    """Frames that travel together, at most."""
    batch_mb: Count = 32
    """Size of those frames' pixels, at most; larger pictures travel in smaller batches."""
    threads: Threads = 0
    """Threads of the decoder; 0 for as many as a video's share of the CPUs carries."""


class DetectSettings(Section):
    detector: Literal["yunet", "mtcnn", "haar"] = "yunet"
    """How faces are found."""
    width_px: Annotated[int, Field(ge=64, le=4096)] = 640
    """Longer side of the picture that is searched; larger finds smaller faces, slower."""
    interval_s: Seconds = 0.2
    """Whole pictures are searched this often, those in between only near known faces; 0: all."""
    threshold: Fraction01 = 0.6
    """Faces of which the detector is less sure are left out."""


class TrackSettings(Section):
    max_gap_s: Seconds = 1.0
    """A person out of sight for longer has to be recognised; so has everyone after a cut."""
    remember_s: Seconds = 3600
    """A face that returns within this time gets its old number, if it is recognised; 0: never."""
    min_s: Seconds = 0.25
    """A face that is seen for less in all is taken for a mistake and left out."""


class SmoothSettings(Section):
    window_s: Seconds = 0.4
    """Probabilities are averaged over this time, about each frame; 0 for not at all."""
    keep_raw: bool = False
    """Whether the table also has the probabilities as they were, in columns of their own."""


class ClassifySettings(Section):
    model: Path | None = None
    """A ``.tflite`` or ``.keras`` network; empty for the one that comes with the program."""
    threads: Threads = 0
    """Threads of the network; 0 for as many as a video's share of the CPUs carries."""


class VideoSettings(Section):
    enabled: bool = True
    """Whether ``annotated.mp4`` is written."""
    blur: bool = False
    """Whether faces are made unrecognisable in every picture and film that is written."""
    crf: Annotated[int, Field(ge=0, le=51)] = 23
    """x264's constant rate factor: 18 looks lossless, 28 is small."""
    preset: Literal[
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"
    ] = "veryfast"
    """x264's trade of speed for size."""
    threads: Threads = 0
    """Threads of the encoder; 0 for as many as a video's share of the CPUs carries."""


class SegmentSettings(Section):
    min_s: Seconds = 0.3
    """A shorter change of expression is taken for a part of what is around it."""
    hysteresis: Fraction01 = 0.1
    """Another expression begins when it is likelier than the last one by this much."""


class ExportSettings(Section):
    formats: list[Literal["parquet", "eaf", "vtt", "png", "svg"]] = Field(default_factory=list)
    """Files for other programs: ``timeline.`` and each of these."""


class LiveSettings(Section):
    open_timeout_s: Annotated[float, Field(gt=0)] = 10
    """A stream that does not answer for this long is tried again later."""
    read_timeout_s: Annotated[float, Field(gt=0)] = 5
    """A stream that sends nothing for this long is taken for lost, and tried again."""
    retry_wait_s: Annotated[float, Field(gt=0)] = 1
    """Wait before the first new attempt; it doubles with each that fails."""
    longest_retry_wait_s: Annotated[float, Field(gt=0)] = 30
    """Longest wait between two attempts."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """Attempts in a row after which a stream is given up; 0 for never."""
    queue_frames: Count = 8
    """Received frames that may wait; when there are more, the oldest is dropped."""
    batch_frames: Annotated[int, Field(ge=1, le=64)] = 4
    """Frames that travel together, at most; a larger number costs less and answers later."""
    piece_s: Annotated[float, Field(gt=0)] = 600
    """Length of each piece of the annotated recording."""
    keep_pieces: Annotated[int, Field(ge=0)] = 0
    """Pieces that are kept, the latest ones; 0 for all."""
    duration_s: Seconds = 0
    """A stream ends after this time; 0 for never."""
    frames: Annotated[int, Field(ge=0)] = 0
    """A stream ends after this many frames; 0 for never."""


class PageSettings(Section):
    host: str = "127.0.0.1"
    """Address that the page of ``--show`` is served at; viewers elsewhere need the token."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0 for any that is free."""
    token: str | None = None
    """What a viewer from another machine has to give; empty for a new one each time."""


class ExecutorSettings(Section):
    kind: Literal["ray", "local"] = "ray"
    """``ray``: stages are actors that work at the same time; ``local``: one process."""
    address: str | None = None
    """A running Ray cluster to join; empty to start Ray on this machine."""
    mounts: dict[str, str] = Field(default_factory=dict)
    """Folders that a cluster's nodes have elsewhere: from this machine's path to theirs."""
    lanes: Annotated[int, Field(ge=0)] = 0
    """Videos analysed side by side; 0 chooses by the number of CPUs."""
    queue_batches: Annotated[int, Field(ge=1, le=64)] = 4
    """Batches that may wait between two stages; bounds memory."""
    stall_timeout_s: Annotated[float, Field(gt=0)] = 120
    """A video that makes no progress for this long is given up."""


class Settings(Section):
    """All settings of a run."""

    read: ReadSettings = ReadSettings()
    detect: DetectSettings = DetectSettings()
    track: TrackSettings = TrackSettings()
    smooth: SmoothSettings = SmoothSettings()
    classify: ClassifySettings = ClassifySettings()
    video: VideoSettings = VideoSettings()
    segments: SegmentSettings = SegmentSettings()
    export: ExportSettings = ExportSettings()
    live: LiveSettings = LiveSettings()
    page: PageSettings = PageSettings()
    executor: ExecutorSettings = ExecutorSettings()
