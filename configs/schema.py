"""Every setting: its type, its limits, its default and what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

Fraction01 = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
"""At most 31 years: waiting counts nanoseconds, which must not overflow."""
Wait = Annotated[float, Field(gt=0, le=1e9)]
Count = Annotated[int, Field(ge=1)]
Threads = Annotated[int, Field(ge=0)]


def _digits_as_text(token: object) -> object:
    """YAML takes digits for a number."""
    return str(token) if type(token) is int else token


def _token(token: str) -> str:
    if not (token.isascii() and token.isprintable() and token == token.strip()):
        raise ValueError("of ASCII's letters, digits and signs only, without a space at its ends")
    return token


Token = Annotated[str, BeforeValidator(_digits_as_text), AfterValidator(_token)]
"""What an address, a cookie and a header can hold alike."""


class Section(BaseModel):
    """A group of settings; a key that it does not know is an error, and so is an infinite value."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class ReadSettings(Section):
    batch_frames: Annotated[int, Field(ge=1, le=256)] = 32
    """Frames of a batch, at most."""
    batch_mb: Count = 32
    """Pixels of a batch, in 2^20 bytes, at most: batches of large pictures have fewer frames."""
    threads: Threads = 0
    """Threads of the decoder; 0: chosen by the number of CPUs for each video."""
    rotate: Literal[0, 90, 180, 270, "auto"] = 0
    """Degrees clockwise by which pictures are turned, beyond what the file says; auto: so that
    faces are upright."""
    rate: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Frames per second of a folder of numbered pictures, which makes a film of it."""
    from_s: Seconds = 0
    """Frames that are shown before are left out, in seconds from the first frame."""
    to_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Frames that are shown from then on are left out; empty: none."""
    every: Count = 1
    """Of all frames, only those are analysed whose number is a multiple of this."""

    @field_validator("to_s")
    @classmethod
    def _is_later(cls, to_s: float | None, info: ValidationInfo) -> float | None:
        from_s = info.data.get("from_s", 0)
        if to_s is not None and to_s <= from_s:
            raise ValueError(f"must be later than read.from_s, which is {from_s:g}")
        return to_s


class DetectSettings(Section):
    detector: Literal["yunet", "mtcnn", "haar"] = "yunet"
    """The face detector."""
    width_px: Annotated[int, Field(ge=64, le=4096)] = 640
    """Longer side of the picture given to the detector; larger finds smaller faces, slower."""
    interval_s: Seconds = 0.2
    """How often a frame is compared with those that were searched as a whole; it is, too, if it
    differs. Without a change, one is at least every 0.7 seconds; 0: all frames are searched."""
    threshold: Fraction01 = 0.6
    """Least score of a face."""


class TrackSettings(Section):
    max_gap_s: Seconds = 1.0
    """A track ends when its face is out of sight for longer, or at a cut; frames that are further
    apart count as consecutive all the same."""
    remember_s: Seconds = 3600
    """A face that returns within this time gets its old id if re-identified; 0: never, and no
    descriptors of faces are made."""
    min_s: Seconds = 0.25
    """A face seen for less in all is dropped as a false detection."""


class SmoothSettings(Section):
    window_s: Seconds = 0.4
    """Probabilities are averaged over this time around each frame; 0: not at all."""
    keep_raw: bool = False
    """Whether the table also has the unsmoothed probabilities, in columns of their own."""


class ClassifySettings(Section):
    model: Path | None = None
    """A network, ``.onnx``, ``.tflite`` or ``.keras``; empty for the one that comes with the
    program."""
    threads: Threads = 0
    """Threads of the network; 0: chosen by the number of CPUs for each video."""


class NetworkSettings(Section):
    files: list[Path] = Field(default_factory=list)
    """Further networks, ``.onnx``, ``.tflite`` or ``.keras``, each with its card beside it; their
    outputs become columns."""


class UsableSettings(Section):
    min_eyes_px: Annotated[float, Field(ge=0)] = 10
    """Least distance between the eyes, in pixels of the picture, at which an expression is relied
    on."""
    max_landmark_error: Annotated[float, Field(ge=0)] = 4
    """Greatest distance of a landmark from its usual place on an aligned face, in pixels of 48 by
    48; on a face that is seen from the side it is greater."""


class VideoSettings(Section):
    enabled: bool = True
    """Whether ``annotated.mp4`` is written."""
    blur: bool = False
    """Whether faces are made unrecognisable in every picture and video that is written."""
    crf: Annotated[int, Field(ge=0, le=51)] = 23
    """x264's constant rate factor: 18 looks lossless, 28 is small."""
    preset: Literal[
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"
    ] = "superfast"
    """x264's trade-off of speed and size."""
    threads: Threads = 0
    """Threads of the encoder; 0: chosen by the number of CPUs for each video."""


class SegmentSettings(Section):
    min_s: Seconds = 0.3
    """A shorter run of an expression joins the longer one beside it."""
    hysteresis: Fraction01 = 0.1
    """Another expression begins when its probability exceeds the current one's by this much."""
    min_confidence: Fraction01 = 0.35
    """A segment in which no expression has this mean probability is called ``unclear``; below it,
    an expression has no hysteresis."""


ExportFormat = Literal["parquet", "eaf", "vtt", "png", "svg"]
EXPORT_FORMATS = get_args(ExportFormat)


class ExportSettings(Section):
    formats: list[ExportFormat] = Field(default_factory=list)
    """Files for other programs: ``timeline.`` and each of these."""


class PictureSettings(Section):
    width_cm: Annotated[float, Field(ge=5, le=200)] = 23
    """Of ``timeline.png`` and ``timeline.svg``."""
    lane_cm: Annotated[float, Field(ge=0.3, le=20)] = 1.2
    """Height of each person's lane."""
    from_s: Seconds = 0
    """The picture shows the part from here, in seconds from the first frame."""
    to_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Up to here; empty: to the end."""


class LiveSettings(Section):
    open_timeout_s: Wait = 10
    """How long to wait for a stream to answer, before trying again."""
    read_timeout_s: Wait = 5
    """How long to wait for the next frame, before reconnecting."""
    retry_wait_s: Wait = 1
    """Wait before reconnecting; it doubles with each failed attempt."""
    longest_retry_wait_s: Wait = 30
    """Longest wait between two attempts."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """Failed attempts in a row after which a stream is given up; 0: never."""
    queue_frames: Count = 8
    """Received frames that may wait; of more, all but the newest are dropped."""
    batch_frames: Annotated[int, Field(ge=1, le=64)] = 4
    """Frames of a batch, at most; larger batches cost less and have a higher latency."""
    piece_s: Wait = 600
    """Length of each piece of the annotated video."""
    keep_pieces: Annotated[int, Field(ge=0)] = 0
    """Number of latest pieces that are kept; 0: all."""
    duration_s: Seconds = 0
    """A stream ends after this time; 0: never."""
    frames: Annotated[int, Field(ge=0)] = 0
    """A stream ends after this many frames; 0: never."""


class PageSettings(Section):
    host: str = "127.0.0.1"
    """Address that the page of ``--show`` is served at; viewers elsewhere need the token."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0: any that is free."""
    token: Token | None = Field(default=None, repr=False)
    """Token that viewers need; empty: a new one each time, and none where only this machine can
    reach the page."""


class ExecutorSettings(Section):
    kind: Literal["ray", "local"] = "ray"
    """``ray``: stages are actors, several videos at a time; ``local``: one process, one video."""
    address: str | None = None
    """A running Ray cluster to join; empty to start Ray on this machine."""
    mounts: dict[str, str] = Field(default_factory=dict)
    """Folders that a cluster's nodes have elsewhere: from this machine's path to theirs."""
    lanes: Annotated[int, Field(ge=0)] = 0
    """Videos analysed side by side; 0 chooses by the number of CPUs."""
    queue_batches: Annotated[int, Field(ge=1, le=64)] = 3
    """Batches that may wait between two stages; bounds memory."""
    stall_timeout_s: Wait = 120
    """A video that makes no progress for this long is given up."""


class Settings(Section):
    """All settings of a run."""

    read: ReadSettings = ReadSettings()
    detect: DetectSettings = DetectSettings()
    track: TrackSettings = TrackSettings()
    smooth: SmoothSettings = SmoothSettings()
    classify: ClassifySettings = ClassifySettings()
    networks: NetworkSettings = NetworkSettings()
    usable: UsableSettings = UsableSettings()
    video: VideoSettings = VideoSettings()
    segments: SegmentSettings = SegmentSettings()
    export: ExportSettings = ExportSettings()
    picture: PictureSettings = PictureSettings()
    live: LiveSettings = LiveSettings()
    page: PageSettings = PageSettings()
    executor: ExecutorSettings = ExecutorSettings()
