"""What needs TensorFlow says how to install it, where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import MissingPackageError
from models.keras_model import load_keras
from stages.faces.older_detectors import MTCNN
from tests.pipeline.command import ROOT

WITHOUT_TENSORFLOW = """
import sys
sys.modules.update(dict.fromkeys(("keras", "mtcnn", "tensorflow")))
from pipeline.cli import main
main()
"""


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("keras", "mtcnn", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("no_tensorflow")
def test_keras_network_names_its_file_and_the_package(tmp_path: Path) -> None:
    (tmp_path / "own.keras").touch()
    with pytest.raises(MissingPackageError, match=r"own\.keras.* -m pip install tensorflow"):
        load_keras(tmp_path / "own.keras")


@pytest.mark.usefixtures("no_tensorflow")
def test_mtcnn_names_the_setting_and_both_packages() -> None:
    with pytest.raises(MissingPackageError, match=r"detector=mtcnn.* install mtcnn tensorflow"):
        MTCNN(0.5)


def test_training_is_refused_in_one_line() -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, "train", "nowhere"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert outcome.returncode == 2
    assert "training needs tensorflow" in outcome.stderr
    assert "-m pip install tensorflow" in outcome.stderr.replace("\n", " ")
    assert "Traceback" not in outcome.stderr
