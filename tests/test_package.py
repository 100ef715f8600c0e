"""The package: its version, its locks, and a copy that is installed outside the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest
import yaml

from configs import VERSION
from tests.pipeline.command import summary

ROOT = Path(__file__).parents[1]
FOLDERS = ("configs", "models", "pipeline", "stages")
LIGHT, FULL = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
ONLY_FOR_TESTS_AND_TRAINING = {"keras", "mtcnn", "playwright", "pytest", "ruff", "tensorflow"}
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)( ; .*)? \\$")


def pins(lock: Path) -> dict[str, set[tuple[str, str]]]:
    """Versions of each package, with the platforms that they are for."""
    found: dict[str, set[tuple[str, str]]] = {}
    for line in lock.read_text().splitlines():
        if not line.startswith("    --hash=sha256:"):
            name, version, platforms = PIN.fullmatch(line).groups()
            found.setdefault(name, set()).add((version, platforms or ""))
    return found


def test_locks_agree_and_hold_nothing_but_pins_and_hashes() -> None:
    light, full = pins(LIGHT), pins(FULL)
    assert len(light) > 50
    for name, versions in light.items():
        assert {version for version, _ in versions} == {version for version, _ in full[name]}, name
    assert not light.keys() & ONLY_FOR_TESTS_AND_TRAINING
    assert full.keys() >= ONLY_FOR_TESTS_AND_TRAINING


def test_locks_hold_every_dependency_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for lock, wanted in (
        (LIGHT, project["dependencies"]),
        (FULL, [*extras["dev"], *extras["train"], *extras["mtcnn"]]),
    ):
        locked = pins(lock)
        for requirement in wanted:
            name, least, below = re.fullmatch(
                r"([a-z0-9-]+)>=([\d.]+),<([\d.]+)", requirement
            ).groups()
            for version, _ in locked[name]:
                assert numbers(least) <= numbers(version) < numbers(below), requirement


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition(".post")[0]))


def test_citation_has_the_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["title"], citation["version"]) == ("Emotion Timelines", VERSION)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment into which pip installed the package, from a copy of its files.

    Its dependencies are those of the environment of the tests.
    """
    folder = tmp_path_factory.mktemp("installed")
    copy, environment = folder / "copy", folder / "environment"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "README.md", "emotion_timelines.py", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    venv.create(environment)
    variables = {"base": str(environment), "platbase": str(environment)}
    (Path(sysconfig.get_path("purelib", vars=variables)) / "dependencies.pth").write_text(
        sysconfig.get_path("purelib") + "\n"
    )
    programs = Path(sysconfig.get_path("scripts", vars=variables))
    subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet",
            "--no-deps", "--no-build-isolation", copy,
        ],
        check=True, timeout=240,
    )  # fmt: skip
    shutil.rmtree(copy)
    return programs


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder in which someone has packages of the same names as ours."""
    for name in FOLDERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('not the program')")
    return tmp_path


def program(folder: Path, *command: object) -> str:
    outcome = subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["local", "ray"])
def test_installed_command_works_outside_the_repository(
    installed: Path, elsewhere: Path, samples: dict[str, Path], executor: str
) -> None:
    clip = samples["single_face.mp4"]
    command = installed / "emotion-timelines"
    assert program(elsewhere, command, "--version") == f"emotion-timelines {VERSION}\n"
    program(elsewhere, command, "run", clip, "-o", "out", "--executor", executor)
    facts = summary(elsewhere / "out" / clip.name)
    assert facts["status"] == "complete"
    assert facts["versions"]["emotion-timelines"] == VERSION


@pytest.mark.slow
def test_installed_package_is_a_module_and_has_all_its_files(
    installed: Path, tmp_path: Path
) -> None:
    python = installed / "python"
    assert program(tmp_path, python, "-m", "emotion_timelines", "--version").endswith(
        f" {VERSION}\n"
    )
    found = program(tmp_path, python, "-c", "import configs; print(configs.__file__)")
    site_packages = Path(found.strip()).parents[1]
    assert site_packages != ROOT
    for name in ("emotion_timelines.py", *FOLDERS):
        for path in [ROOT / name, *(ROOT / name).rglob("*")]:
            if path.is_file() and path.suffix not in (".pyc", ".md"):
                assert (site_packages / path.relative_to(ROOT)).is_file(), path


ANALYSE = """
import sys
from emotion_timelines import EmotionTimelinesError, analyse, load
if __name__ == "__main__":
    result = analyse(sys.argv[1], "out", executor=sys.argv[2], settings={"video.enabled": False})
    print(result.summary["status"], len(load("out")) > 0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["local", "ray"])
def test_other_packages_of_our_names_that_do_not_come_first_do_no_harm(
    installed: Path, elsewhere: Path, samples: dict[str, Path], executor: str
) -> None:
    """A folder without ``__init__.py`` comes last; that of the script comes before the present."""
    for folder in elsewhere.iterdir():
        (folder / "__init__.py").rename(folder / "other.py")
    clip = samples["single_face.mp4"]
    python = installed / "python"
    assert program(elsewhere, python, "-c", ANALYSE, clip, executor) == "complete True\n"
    for name in FOLDERS:
        (elsewhere / name / "other.py").rename(elsewhere / name / "__init__.py")
    script = elsewhere.parent / f"{elsewhere.name}.script" / "script.py"
    script.parent.mkdir()
    script.write_text(ANALYSE)
    shutil.rmtree(elsewhere / "out")
    assert program(elsewhere, python, script, clip, executor) == "complete True\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("module", ["emotion_timelines", "pipeline"])
def test_another_package_that_comes_first_is_named_in_one_sentence(
    installed: Path, tmp_path: Path, name: str, module: str
) -> None:
    (tmp_path / name).mkdir()
    foreign = tmp_path / name / "__init__.py"
    foreign.write_text("raise RuntimeError('imported')")
    outcome = subprocess.run(
        [installed / "python", "-c", f"from {module} import analyse"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    last = outcome.stderr.splitlines()[-1]
    if module == name:  # Nothing of ours is asked.
        assert last == "RuntimeError: imported"
    else:
        assert last.startswith("ImportError: emotion_timelines needs its own package ")
        assert f"package {name}, but Python finds {foreign}: rename that" in last
