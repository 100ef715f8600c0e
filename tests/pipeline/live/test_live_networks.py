"""Networks beside the one that classifies, in live streams: numbers are as worked out apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.load import load_settings
from pipeline.bench.loopback import LoopbackCamera
from pipeline.chain import Stage, find_stages
from pipeline.live.stream import LiveStream
from pipeline.run.provenance import provenance_of
from pipeline.sources import Stream
from stages.batch import FrameBatch
from stages.frames import yuv_planes
from tests.pipeline.command import EXECUTORS, run, summary, timeline
from tests.pipeline.three_networks import COLUMNS, Face, Three, make_three, smoothed, values_in

FRAMES, WINDOW_S = 24, 0.4


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Three:
    return make_three(tmp_path_factory.mktemp("networks"))


def test_every_number_is_as_worked_out_by_itself(
    camera_clips: dict[str, Path],
    three: Three,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[FrameBatch] = []

    class Watcher:
        def process(self, batch: FrameBatch) -> FrameBatch:
            found.append(batch)
            return batch

    def watched(*arguments: Any, **options: Any) -> list[Stage]:
        return [*find_stages(*arguments, **options), Watcher()]

    monkeypatch.setattr("pipeline.live.stream.find_stages", watched)
    settings = load_settings(
        flags={
            "networks.files": three.paths,
            "smooth.keep_raw": True,
            "video.enabled": False,
            "live.frames": FRAMES,
        }
    )
    with LoopbackCamera(camera_clips["mpegts"]) as camera:
        stream = Stream("door", camera.address, settings, tmp_path / "door")
        live = LiveStream(stream, provenance_of(settings))
        assert live.run().status == "complete"
    rows = timeline(tmp_path / "door")
    raw = {int(row["frame"]): values_in([row], "raw_")[0] for row in rows if row["track"]}
    compared = 0
    for batch in found:
        for face, frame in enumerate(batch.face_frame):
            number = batch.first_frame + int(frame)
            if number in raw:
                planes = yuv_planes(batch.pixels[frame])
                seen = Face(planes, batch.boxes[face], batch.landmarks[face], colorspace=6)
                assert np.abs(raw[number] - three.expected(seen)).max() < 0.01
                compared += 1
    assert compared == len(raw) > FRAMES / 2
    status = live.status()
    assert [output["name"] for output in status.outputs] == list(COLUMNS)
    assert status.outputs[4] == {"name": "va_valence", "low": -1, "high": 1, "unit": "-1 to 1"}
    of_frame = {float(row["time_s"]): values_in([row])[0] for row in rows if row["track"]}
    points = live.recent(-1)["points"]
    assert points
    for point in points:
        _, at_s = min((abs(time_s - point["time_s"]), time_s) for time_s in of_frame)
        np.testing.assert_allclose(point["values"], of_frame[at_s], atol=2e-4)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_stream_of_the_command_has_their_columns(
    camera_clips: dict[str, Path], three: Three, tmp_path: Path, executor: str
) -> None:
    with LoopbackCamera(camera_clips["mpegts"]) as camera:
        outcome = run(
            "run", camera.address, "-o", tmp_path, "--frames", FRAMES, "--executor", executor,
            "--no-video", "--set", "smooth.keep_raw=true", *three.options,
        )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    rows = [row for row in timeline(folder) if row["track"]]
    assert len(rows) > FRAMES / 2
    raw, values = values_in(rows, "raw_"), values_in(rows)
    assert (np.abs(raw) > 1e-4).any(axis=0).all()
    time_s = np.array([float(row["time_s"]) for row in rows])
    late = time_s > time_s[0] + WINDOW_S  # Before, it averages what is not in the table as well.
    low, high = raw.min(axis=0) - 1e-3, raw.max(axis=0) + 1e-3
    assert ((values >= low) & (values <= high))[late].all()
    if np.ptp(np.diff(time_s)) < 2e-3:  # None was dropped.
        expected = smoothed(time_s, raw, WINDOW_S, live=True)
        np.testing.assert_allclose(values[late], expected[late], atol=1e-3)
    names = [column["name"] for each in summary(folder)["networks"] for column in each["columns"]]
    assert names == list(COLUMNS)
