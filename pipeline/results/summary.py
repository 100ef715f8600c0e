"""``summary.json``: how the analysis of one video ended, and what made it."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import av

from configs.cameras import without_secrets
from configs.schema import Settings
from models.runtime import EmotionNetwork
from stages.write.files import write_whole

SUMMARY = "summary.json"

PACKAGES = ("ai-edge-litert", "av", "numpy", "onnxruntime", "opencv-python-headless", "ray")

Status = Literal["complete", "partial", "failed"]


DECISIVE = {
    "detect": None,
    "track": None,
    "smooth": None,
    "segments": None,
    "video": ("enabled", "blur", "crf", "preset"),
}
"""Settings that decide what a video's results are like, by section; None for all of a section."""


@dataclass(frozen=True)
class Provenance:
    """What made a result: enough to make it again."""

    settings: dict[str, Any]
    model: dict[str, str]
    versions: dict[str, str]
    command: str

    def decisive(self) -> dict[str, Any]:
        """The part that decides what a video's results are like."""
        sections = {name: self.settings.get(name) or {} for name in DECISIVE}
        return {
            "model": self.model.get("sha256"),
            **{
                name: {key: section.get(key) for key in DECISIVE[name] or section}
                for name, section in sections.items()
            },
        }

    @classmethod
    def of(cls, settings: Settings, network: EmotionNetwork) -> Provenance:
        return cls(
            settings=public_settings(settings),
            model={"name": network.name, "sha256": network.sha256},
            versions={
                "python": platform.python_version(),
                "ffmpeg": av.ffmpeg_version_info,
                **{name: metadata.version(name) for name in PACKAGES},
            },
            command=_command(),
        )


def _command() -> str:
    """The command line, as it may be shown."""
    words = [
        "page.token=***" if word.startswith("page.token=") else without_secrets(word)
        for word in sys.argv[1:]
    ]
    return shlex.join(["run_pipeline.py", *words])


def public_settings(settings: Settings) -> dict[str, Any]:
    """Settings as they are kept with a result: those of the page, with its token, are not."""
    return settings.model_dump(mode="json", exclude={"page"})


@dataclass(frozen=True)
class Summary:
    """How the analysis of one video or live stream ended.

    Attributes:
        source: the video, as it was given.
        status: ``complete``; ``partial``, if the video or the run was cut short but what could be
            decoded is there; ``failed``, if there is nothing.
        reason: why it is not complete, for a person to read.
        frames: rows of frames in the timeline.
        duration_s: time from the first frame to the last.
        faces: faces found, over all frames.
        tracks: people told apart.
        dropped: frames left out; always 0 for a file.
        input: of a file: its size and when it was changed, to know it again.
        input_sha256: of a file: the hash of its bytes.
        started_at, ended_at: when the analysis began and ended (ISO 8601, UTC).
        interrupted: the run, not the video, is why it is not complete; done again, it may be.
        live: of a live stream: when it began, how fast it was, when it was lost.
        people: figures of each person.
        files: names of the results beside the summary.
    """

    source: str
    status: Status
    reason: str | None = None
    frames: int = 0
    duration_s: float = 0.0
    faces: int = 0
    tracks: int = 0
    dropped: int = 0
    video: dict[str, Any] = field(default_factory=dict)
    input: dict[str, int] | None = None
    input_sha256: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    interrupted: bool = False
    live: dict[str, Any] | None = None
    people: tuple[dict[str, Any], ...] = ()
    files: tuple[str, ...] = ()

    def write(self, folder: Path, provenance: Provenance) -> None:
        """Write ``summary.json`` into a folder, made if absent.

        Raises:
            OutputError: it cannot be written.
        """
        figures = {name: value for name, value in asdict(self).items() if value is not None}
        figures["reason"] = self.reason
        text = json.dumps({**figures, **asdict(provenance)}, indent=2, ensure_ascii=False)
        write_whole(folder / SUMMARY, text + "\n")


def read_summary(folder: Path) -> tuple[Summary, Provenance] | None:
    """The summary in a folder; None if there is none, or none of this program's."""
    try:
        values = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        made_by = Provenance(
            **{name: values.pop(name) for name in ("settings", "model", "versions", "command")}
        )
        lists = {name: tuple(values[name]) for name in ("people", "files")}
        return Summary(**{**values, **lists}), made_by
    except (OSError, ValueError, TypeError, KeyError):
        return None
