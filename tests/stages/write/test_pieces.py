"""The annotated video of a live stream: pieces that play, also where the disk was full."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from configs.errors import OutputError
from configs.schema import LiveSettings, ReadSettings, VideoSettings
from stages.batch import FrameBatch, VideoInfo
from stages.read.video_reader import VideoReader
from stages.write.files import keep_what_plays, unfinished_name
from stages.write.pieces import RETRY_S, PieceWriter


def test_pieces_play_once_complete_and_the_oldest_are_deleted(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    with VideoReader(samples["single_face.mp4"], ReadSettings(batch_frames=4)) as reader:
        batches = [replace(batch, pixels=batch.pixels.copy()) for batch in reader.batches()][:12]
        live = LiveSettings(piece_s=0.5, keep_pieces=2)
        writer = PieceWriter(tmp_path, reader.info, VideoSettings(), live)
        length_s, frames = batches[-1].time_s[-1] + 1 / float(reader.info.rate), 0
        for turn in range(3):
            for batch in batches:
                pts = batch.pts + round(turn * length_s / reader.info.time_base)
                writer.write(replace(batch, pts=pts, time_s=batch.time_s + turn * length_s))
                frames += len(batch)
                for piece in tmp_path.glob("annotated-*.mp4"):
                    assert frames_of(piece)
    writer.finish()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2
    assert names[0] > "annotated-0002.mp4"
    for name in names:
        times_s = frames_of(tmp_path / name)
        assert times_s[0] == 0
        assert np.all(np.diff(times_s) > 0)


def test_picture_of_another_size_begins_a_piece(samples: dict[str, Path], tmp_path: Path) -> None:
    with VideoReader(samples["single_face.mp4"], ReadSettings(batch_frames=4)) as reader:
        wide, info = next(reader.batches()), reader.info
    tall = replace(
        wide,
        pts=wide.pts + 4 * 90_000,
        pixels=np.full((4, 480, 240), 128, np.uint8),
        info=replace(info, width=240, height=320),
    )
    writer = PieceWriter(tmp_path, info, VideoSettings(), LiveSettings())
    for batch in (replace(wide, info=info), tall):
        writer.write(batch)
    writer.finish()
    sizes = {}
    for piece in tmp_path.iterdir():
        with av.open(str(piece)) as container:
            stream = container.streams.video[0]
            sizes[piece.name] = (stream.width, stream.height, stream.frames)
    assert sizes == {
        "annotated-0001.mp4": (info.width, info.height, 4),
        "annotated-0002.mp4": (240, 320, 4),
    }


@pytest.mark.parametrize("seed", range(6, 10))
def test_every_frame_plays_at_its_time_however_irregular(
    recorded: tuple[VideoInfo, list[FrameBatch]], tmp_path: Path, seed: int
) -> None:
    info, batches = recorded
    info = replace(info, time_base=Fraction(1, 90_000))
    steps = np.random.default_rng(seed).choice([3000, 6000, 40_000, 160_000], 48)
    pts = np.concatenate([[0], np.cumsum(steps)])
    writer, taken = PieceWriter(tmp_path, info, VideoSettings(), LiveSettings()), 0
    for batch in batches[:12]:
        now = pts[taken : taken + len(batch)]
        writer.write(replace(batch, pts=now, time_s=now / 90_000))
        taken += len(batch)
    writer.finish()
    assert frames_of(tmp_path / "annotated-0001.mp4") == pytest.approx(pts[:taken] / 90_000)


def frames_of(piece: Path) -> list[float]:
    with av.open(str(piece)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def recorded(samples: dict[str, Path]) -> tuple[VideoInfo, list[FrameBatch]]:
    """Three seconds of a clip, four frames a batch."""
    with VideoReader(samples["single_face.mp4"], ReadSettings(batch_frames=4)) as reader:
        batches = [replace(batch, pixels=batch.pixels.copy()) for batch in reader.batches()]
        return reader.info, [batch for batch in batches if batch.time_s[0] < 3]


def later(batch: FrameBatch, shift_s: float, info: VideoInfo) -> FrameBatch:
    pts = batch.pts + round(shift_s / info.time_base)
    return replace(batch, pts=pts, time_s=batch.time_s + shift_s)


def write_all(writer: PieceWriter, batches: list[FrameBatch]) -> None:
    for batch in batches:
        writer.write(batch)


def test_what_plays_is_kept_when_the_disk_is_full_and_a_new_piece_begins_when_it_is_not(
    recorded: tuple[VideoInfo, list[FrameBatch]],
    limited_files: Callable[[int | None], None],
    tmp_path: Path,
) -> None:
    info, batches = recorded
    writer = PieceWriter(tmp_path, info, VideoSettings(), LiveSettings())
    write_all(writer, batches[:-1])
    limited_files(unfinished_name(tmp_path / "annotated-0001.mp4").stat().st_size + 100)
    with pytest.raises(OutputError, match=r"annotated-0001\.mp4: cannot be written"):
        write_all(writer, batches[-1:] * 20)
    assert [path.name for path in tmp_path.iterdir()] == ["annotated-0001.mp4"]
    assert frames_of(tmp_path / "annotated-0001.mp4")[-1] > 0.9
    limited_files(100)
    for shift_s in (3.0, 5.0 + RETRY_S):
        with pytest.raises(OutputError):
            write_all(writer, [later(batch, shift_s, info) for batch in batches * 2])
        assert [path.name for path in tmp_path.iterdir()] == ["annotated-0001.mp4"]
    limited_files(None)
    write_all(writer, [later(batch, 20.0, info) for batch in batches])
    writer.finish()
    assert len(frames_of(tmp_path / "annotated-0002.mp4")) == sum(map(len, batches))
    assert [(piece.name, round(piece.from_s)) for piece in writer.pieces] == [
        ("annotated-0001.mp4", 0),
        ("annotated-0002.mp4", 20),
    ]
    assert len(list(tmp_path.iterdir())) == 2


def test_before_the_disk_is_full_a_piece_is_completed_and_the_rest_is_left_to_the_table(
    recorded: tuple[VideoInfo, list[FrameBatch]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info, batches = recorded
    disk = shutil.disk_usage(tmp_path)
    writer = PieceWriter(tmp_path, info, VideoSettings(), LiveSettings())
    write_all(writer, batches)
    nearly_full = disk._replace(total=10**9, free=10**7)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    with pytest.raises(OutputError, match="the disk is nearly full"):
        writer.write(later(batches[0], 4.0, info))
    assert len(frames_of(tmp_path / "annotated-0001.mp4")) == sum(map(len, batches))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_film_cut_off_anywhere_plays_up_to_there(
    recorded: tuple[VideoInfo, list[FrameBatch]], tmp_path: Path
) -> None:
    info, batches = recorded
    writer = PieceWriter(tmp_path, info, VideoSettings(), LiveSettings())
    write_all(writer, batches)
    path, unfinished = tmp_path / "cut.mp4", tmp_path / ".unfinished.cut.mp4"
    cut_off = unfinished_name(tmp_path / "annotated-0001.mp4").read_bytes()
    writer.finish()
    whole = (tmp_path / "annotated-0001.mp4").read_bytes()
    last_s = []
    for content in (*(cut_off[: len(cut_off) * part // 7] for part in range(8)), whole):
        unfinished.write_bytes(content)
        last_s.append(frames_of(path)[-1] if keep_what_plays(path) else 0.0)
        path.unlink(missing_ok=True)
        assert not unfinished.exists()
    assert last_s == sorted(last_s)
    assert (last_s[0], last_s[-1]) == (0.0, frames_of(tmp_path / "annotated-0001.mp4")[-1])
    assert 1 <= last_s[-2] < last_s[-1]
