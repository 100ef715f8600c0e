"""What the command line says of itself."""

from __future__ import annotations

import pytest

from tests.pipeline.command import run


@pytest.mark.parametrize("seconds", ["inf", "nan"])
def test_what_is_not_a_finite_number_is_refused(seconds: str) -> None:
    outcome = run("bench", "--live", "--seconds", seconds)
    assert outcome.returncode == 2
    assert "Invalid value for '--seconds'" in outcome.stderr


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("train", "Folder for the run [runs/ARCH]."),
        ("bench", "[OPTIONS] [SOURCE]..."),
    ],
)
def test_help_shows_words_in_square_brackets(command: str, shown: str) -> None:
    outcome = run(command, "--help")
    assert outcome.returncode == 0, outcome.stderr
    assert shown in outcome.stdout
