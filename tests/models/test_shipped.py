"""The shipped network does as well as its card says, where FER-2013 is at hand."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.pipeline.command import ROOT, run

ARCHIVE = ROOT.parent / "shared" / "data" / "fer2013.zip"
LEAST_ACCURACY = 0.62


@pytest.mark.slow
@pytest.mark.parametrize("model", ["emotions.tflite", "emotions.keras"])
def test_accuracy_on_the_validation_split(tmp_path: Path, model: str) -> None:
    if not ARCHIVE.exists():
        pytest.skip("the archive ../shared/data/fer2013.zip is not on this machine")
    with zipfile.ZipFile(ARCHIVE) as archive:
        names = [name for name in archive.namelist() if name.startswith("validation/")]
        archive.extractall(tmp_path, names)
    outcome = run("evaluate", tmp_path, "--model", ROOT / "models" / model, "--json")
    result = json.loads(outcome.stdout)
    assert result["n"] == 3589
    assert result["accuracy"] >= LEAST_ACCURACY
