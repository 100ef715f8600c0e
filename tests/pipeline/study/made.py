"""Results of made-up videos, in the files that an analysis would write."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from configs.schema import Settings
from models.emotions import EMOTIONS
from models.network import SHIPPED_MODEL, Network
from pipeline.result_folders import TABLE
from pipeline.results.exports.writers import write_exports
from pipeline.results.person import usable_share
from pipeline.results.report import write_report
from pipeline.results.summary import Provenance, Summary
from pipeline.results.video_result import Recorded, read_result
from stages.columns import TIMELINE, column_names, rounded_to_steps

COLUMNS = column_names(TIMELINE)
RATE = 25


@dataclass
class MadeFace:
    """One track.

    Attributes:
        probabilities: (n, 7), for each frame.
        seen, usable: (n,) bool; everywhere if not given.
        side_px: of its box.
        outputs: of further networks, (n,) each.
    """

    probabilities: np.ndarray
    seen: np.ndarray | None = None
    usable: np.ndarray | None = None
    side_px: float = 100
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        everywhere = np.ones(len(self.probabilities), bool)
        self.seen = everywhere if self.seen is None else self.seen
        self.usable = everywhere if self.usable is None else self.usable


@dataclass
class MadeVideo:
    """A video, its frames at ``RATE`` or at times of their own."""

    faces: Mapping[int, MadeFace]
    time_s: np.ndarray
    start_s: float = 0.0
    ended_at: str = "2026-01-01T00:00:00+00:00"
    live: dict[str, Any] | None = field(default=None)

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs of further networks."""
        return list(dict.fromkeys(name for face in self.faces.values() for name in face.outputs))


def probabilities(**given: float) -> np.ndarray:
    """(7,): those given, the others sharing what is left."""
    rest = (1 - sum(given.values())) / (len(EMOTIONS) - len(given))
    return np.array([given.get(name, rest) for name in EMOTIONS])


def wandering(random: np.random.Generator, frames: int, towards: str, by: float) -> np.ndarray:
    """(n, 7) probabilities that wander, and lean towards an expression."""
    steps = random.normal(0, 0.25, (frames, len(EMOTIONS))).cumsum(axis=0)
    steps -= np.linspace(0, 1, frames)[:, None] * steps[-1]
    steps[:, EMOTIONS.index("neutral")] += 1.5
    steps[:, EMOTIONS.index(towards)] += by
    powers = np.exp(steps)
    return powers / powers.sum(axis=1, keepdims=True)


def make_result(out: Path, name: str, video: MadeVideo, report: bool = True) -> Path:
    """Write a complete result into ``out/name``; returns its folder."""
    folder = out / name
    folder.mkdir(parents=True)
    with (folder / TABLE).open("w", newline="") as lines:
        further = video.outputs
        csv.writer(lines, lineterminator="\n").writerows([(*COLUMNS, *further), *_rows(video)])
    settings = Settings()
    provenance = replace(_provenance(), networks=[_network(further)] if further else [])
    source = Path("/videos") / name
    gaps_s = [gap["from_s"] for gap in video.live["gaps"]] if video.live else ()
    recorded = Recorded(
        source=source,
        film=source,
        film_starts_s=video.start_s,
        provenance=provenance,
        gaps_s=gaps_s,
    )
    result = read_result(folder / TABLE, recorded, settings)
    assert write_exports(result, folder, settings) == []
    summary = Summary(
        source=str(source),
        status="complete",
        frames=len(video.time_s),
        duration_s=float(video.time_s[-1]),
        faces=int(sum(face.seen.sum() for face in video.faces.values())),
        tracks=len(video.faces),
        video={"rate": RATE, "start_s": video.start_s},
        input={"path": str(source)},
        ended_at=video.ended_at,
        live=video.live,
        usable_share=usable_share(result.timeline),
        people=tuple(asdict(person) for person in result.people),
    )
    if report:
        write_report(result, summary, {}, folder)
    summary.write(folder, provenance)
    return folder


def times_s(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE)) / RATE


@cache
def _provenance() -> Provenance:
    return Provenance.of(Settings(), [Network(SHIPPED_MODEL, expressions=True)], "made up")


def _network(outputs: Sequence[str]) -> dict[str, Any]:
    columns = [
        {"name": name, "kind": "value", "low": -9.0, "high": 9.0, "unit": "-9 to 9"}
        for name in outputs
    ]
    facts = {"licence": "CC0-1.0", "source": "made up", "columns": columns}
    return {"name": "made.onnx", "sha256": "0" * 64, "card_sha256": "1" * 64, **facts}


def _rows(video: MadeVideo) -> Iterator[tuple[object, ...]]:
    steps = {track: rounded_to_steps(face.probabilities) for track, face in video.faces.items()}
    for frame, at_s in enumerate(video.time_s):
        seen = [(track, face) for track, face in video.faces.items() if face.seen[frame]]
        if not seen:
            nothing = [""] * (len(COLUMNS) - 3)
            yield (frame, f"{at_s:.6f}", *nothing, "none found", *[""] * len(video.outputs))
        for track, face in seen:
            values = steps[track][frame] / 10_000
            of = dict(zip(EMOTIONS, values, strict=True))
            valence = of["happy"] - max(of[name] for name in ("angry", "disgust", "fear", "sad"))
            yield (
                frame, f"{at_s:.6f}", track, "10.0", "10.0",
                f"{face.side_px:.1f}", f"{face.side_px:.1f}", "0.900",
                EMOTIONS[int(np.argmax(values))], *(f"{value:.4f}" for value in values),
                f"{valence:.4f}", "40.0", "0.0", int(face.usable[frame]), "",
                *(f"{face.outputs[name][frame]:.4f}" for name in video.outputs),
            )  # fmt: skip
