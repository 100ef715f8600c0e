"""``summary.json``: how the analysis of one video ended, and its provenance."""

from __future__ import annotations

import json
import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import av

from configs import VERSION
from configs.addresses import HIDDEN, without_secrets
from configs.names import as_text
from configs.schema import Settings
from models.card import OutputColumn, columns_in
from pipeline.result_folders import SUMMARY
from stages.write.files import write_atomically

if TYPE_CHECKING:
    from models.network import Network

PROGRAM = "emotion-timelines"
PACKAGES = ("ai-edge-litert", "av", "numpy", "onnxruntime", "opencv-python-headless", "ray")

SCHEMA = "summary.schema.json"
"""The JSON Schema of ``summary.json``, which is written into the output folder."""

TOKEN = re.compile(r"(^(?:--set=)?page\.token=).*", re.DOTALL)
"""In a word of the command line."""

Status = Literal["complete", "partial", "failed"]

DECISIVE = {
    "read": ("rotate", "rate", "from_s", "to_s", "every"),
    "detect": None,
    "track": None,
    "smooth": None,
    "usable": None,
    "video": ("enabled", "blur", "crf", "preset"),
}
"""Settings that table and film depend on, by section; None for all of a section."""


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from: what is needed to reproduce it."""

    settings: dict[str, Any]
    model: dict[str, Any]
    versions: dict[str, str]
    command: str
    networks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def version(self) -> str:
        """The program's version."""
        return self.versions[PROGRAM]

    @property
    def outputs(self) -> list[OutputColumn]:
        """What networks give beyond the seven expressions, in the order of the table."""
        networks = [self.model, *self.networks]
        return [column for facts in networks for column in columns_in(facts)]

    def agrees_with(self, other: Provenance) -> bool:
        """Whether both have the same networks, and the same settings for table and film.

        The networks that two versions of the program ship count as the same.
        """
        shipped = self._shipped_network() and other._shipped_network()
        same_network = _content(self.model) == _content(other.model)
        same_further = [*map(_content, self.networks)] == [*map(_content, other.networks)]
        return (
            all(self.shares(section, other, keys) for section, keys in DECISIVE.items())
            and same_further
            and (same_network or (shipped and self.version != other.version))
        )

    def _shipped_network(self) -> bool:
        return self.settings["classify"]["model"] is None

    def shares(self, section: str, other: Provenance, keys: Sequence[str] | None = None) -> bool:
        """Whether both have the same settings in a section, or the same of some of these.

        A setting that another version did not have has its default.
        """
        defaults = _default_settings()[section]
        own, others = ({**defaults, **each.settings.get(section, {})} for each in (self, other))
        return all(own[key] == others[key] for key in keys or defaults)

    @classmethod
    def of(
        cls,
        settings: Settings,
        networks: Sequence[Network],
        command: str | None = None,
    ) -> Provenance:
        """The provenance of what is made now.

        Args:
            networks: the one that tells expressions, then further ones.
            command: what made it; None for the command line of this program.
        """
        model, *further = networks
        return cls(
            settings=public_settings(settings),
            model=model.facts,
            versions={
                PROGRAM: VERSION,
                "python": platform.python_version(),
                "ffmpeg": av.ffmpeg_version_info,
                **{name: metadata.version(name) for name in PACKAGES},
            },
            command=command or command_line(),
            networks=[each.facts for each in further],
        )


def _content(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """What decides what a network gives, of what a summary says of it."""
    names = [column["name"] for column in facts.get("columns", ())]
    return facts.get("sha256"), facts.get("card_sha256"), names


def command_line() -> str:
    """The command line, without secrets."""
    words = [without_secrets(TOKEN.sub(rf"\1{HIDDEN}", word)) for word in sys.argv[1:]]
    program = Path(sys.argv[0]).name.removesuffix(".exe")
    named = (
        ["python", "-m", "emotion_timelines"] if program == "emotion_timelines.py" else [program]
    )
    return as_text(shlex.join([*named, *words]))


@cache
def _default_settings() -> dict[str, Any]:
    return public_settings(Settings())


def public_settings(settings: Settings) -> dict[str, Any]:
    """Settings as kept with a result: without those of the page, which hold its token."""
    return settings.model_dump(mode="json", exclude={"page"})


@dataclass(frozen=True)
class Summary:
    """How the analysis of one video or live stream ended.

    Attributes:
        source: the video, as given.
        status: ``complete``; ``partial``, if the video is damaged or the run was cut short, and the
            results go up to there; ``failed``, if there are none.
        reason: why it is not complete, in words.
        frames: frames in the timeline.
        duration_s: time from the first frame to the last.
        faces: faces, over all frames.
        tracks: number of people.
        without_face: frames in the timeline without a face, by the reason that it gives.
        left_out: frames that were decoded, but are not in the timeline: by the setting
            ``read.every``, and those before the part that was to be analysed.
        dropped: frames dropped; always 0 for a file.
        video: size, frame rate, codec, and ``start_s``, the presentation time of the first frame.
        input: of a file: its absolute path, to tell whose results these are; size and time of
            change, to tell whether it changed.
        input_sha256: of a file: hash of its bytes.
        started_at, ended_at: when the analysis began and ended (ISO 8601, UTC).
        interrupted: it is the run, not the video, that kept it from being complete.
        live: of a live stream: its name, start, latency and gaps.
        usable_share: share of the frames that have a usable face.
        people: figures of each person.
        strip: the timeline in short, see ``strip_of``.
        by_hand: where a user corrected the segments: the ELAN ``file`` that was given, when
            (``at``), and whose ``tiers`` it has, tracks by name.
        warnings: what a reader of complete results should know, in words.
        files: names of the results beside the summary.
    """

    source: str
    status: Status
    reason: str | None = None
    frames: int = 0
    duration_s: float = 0.0
    faces: int = 0
    tracks: int = 0
    without_face: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    video: dict[str, Any] = field(default_factory=dict)
    input: dict[str, Any] | None = None
    input_sha256: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    interrupted: bool = False
    live: dict[str, Any] | None = None
    usable_share: float | None = None
    people: tuple[dict[str, Any], ...] = ()
    strip: str = ""
    by_hand: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def gaps_s(self) -> list[float]:
        """When a live stream was lost, in seconds from the first frame."""
        return [gap["from_s"] for gap in self.live["gaps"]] if self.live else []

    def write(self, folder: Path, provenance: Provenance) -> None:
        """Write ``summary.json`` into a folder, made if absent.

        Raises:
            OutputError: it cannot be written.
        """
        figures = {name: value for name, value in asdict(self).items() if value is not None}
        figures["reason"] = self.reason
        text = json.dumps({**figures, **asdict(provenance)}, indent=2, ensure_ascii=False)
        write_atomically(folder / SUMMARY, text + "\n")


def write_schema(out: Path) -> None:
    """Write the JSON Schema of summaries into an output folder.

    Raises:
        OutputError: it cannot be written.
    """
    text = (resources.files("pipeline.results") / SCHEMA).read_text(encoding="utf-8")
    write_atomically(out / SCHEMA, text)


def read_summary(folder: Path) -> tuple[Summary, Provenance] | None:
    """The summary in a folder; None if there is none that this program wrote."""
    try:
        values = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        made_by = Provenance(**{part.name: values.pop(part.name) for part in fields(Provenance)})
        # Another version's summary may have more in it; what is None is not written.
        known = {part.name: values[part.name] for part in fields(Summary) if part.name in values}
        lists = {name: tuple(values[name]) for name in ("people", "warnings", "files")}
        return Summary(**{**known, **lists}), made_by
    except (OSError, ValueError, TypeError, KeyError):
        return None
