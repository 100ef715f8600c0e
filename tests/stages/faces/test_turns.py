"""Pictures that lie on their side, or upside down, are noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.schema import DetectSettings, ReadSettings
from stages.faces.detect import make_detector
from stages.faces.turns import TurnFinder
from stages.read.video_reader import VideoReader


@pytest.mark.parametrize("name", ["single_face.mp4", "WolfgangLanger_Pexels.mp4"])
@pytest.mark.parametrize(("lies", "turn"), [(0, 0), (90, 270), (180, 180), (270, 90)])
def test_the_turn_that_makes_faces_upright_is_found(
    samples: dict[str, Path], name: str, lies: int, turn: int
) -> None:
    finder = TurnFinder(make_detector(DetectSettings()), 640)
    with VideoReader(samples[name], ReadSettings(rotate=lies)) as reader:
        for batch in reader.batches():
            finder.observe(batch)
    assert finder.turn == turn


def test_a_film_of_less_than_a_second_is_enough(samples: dict[str, Path]) -> None:
    finder = TurnFinder(make_detector(DetectSettings()), 640)
    with VideoReader(samples["single_face.mp4"], ReadSettings(rotate=90)) as reader:
        finder.observe(next(reader.batches()))  # 16 frames, of half a second.
    assert finder.turn == 270


def test_without_faces_pictures_stay_as_they_are(samples: dict[str, Path]) -> None:
    finder = TurnFinder(make_detector(DetectSettings()), 640)
    with VideoReader(samples["no_face.mp4"], ReadSettings(rotate=90)) as reader:
        for batch in reader.batches():
            finder.observe(batch)
    assert finder.turn == 0
