"""The typical neutral face is that of the training data, where FER-2013 is at hand."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.emotions import EMOTIONS, TYPICAL, log_probabilities
from models.network import SHIPPED_MODEL, Network
from models.votes import VOTES_FILE, load_votes
from pipeline.still_faces import make_face_cutter
from tests.models.test_shipped import ARCHIVE


@pytest.mark.slow
def test_typical_neutral_face_is_the_mean_over_the_training_split(tmp_path: Path) -> None:
    if not ARCHIVE.exists():
        pytest.skip("the archive ../shared/data/fer2013.zip is not on this machine")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extract(VOTES_FILE, tmp_path)
        names = [name for name in archive.namelist() if name.startswith("train/")]
        files = [name.removeprefix("train/") for name in names if name.endswith(".jpg")]
        votes = load_votes(tmp_path, "train", files)
        assert votes is not None
        neutral = np.array(files)[votes.majority == EMOTIONS.index("neutral")]
        assert len(neutral) == 9998
        cut = make_face_cutter()
        faces = [
            cut(cv2.imdecode(np.frombuffer(archive.read(f"train/{name}"), np.uint8), 0))[0]
            for name in neutral
        ]
    found = log_probabilities(Network(SHIPPED_MODEL).predict(np.stack(faces))).mean(axis=0)
    assert found == pytest.approx(TYPICAL, abs=2e-3)
