"""The annotated video of a live stream: pieces that play, of which the oldest are deleted."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from configs.schema import LiveSettings, ReadSettings, VideoSettings
from stages.read.video import VideoReader
from stages.write.pieces import PieceWriter


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


def frames_of(piece: Path) -> list[float]:
    with av.open(str(piece)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]
