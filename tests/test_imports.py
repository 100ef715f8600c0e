"""Imports point one way, and the folders of stages know neither each other nor Ray."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("pipeline", "stages", "models", "configs")

LAYERS = (
    "run_pipeline",
    "pipeline.cli",
    "pipeline.commands",
    "pipeline.api",
    "pipeline.progress",
    "pipeline.terminal",
    "pipeline.still_faces",
    "pipeline.samples",
    "pipeline.bench",
    "pipeline.live",
    "pipeline.run",
    "pipeline.chain",
    "pipeline.study",
    "pipeline.results",
    "pipeline.sources",
    "pipeline",
    "emotion_timelines",
    "stages",
    "models",
    "configs",
)
"""From top to bottom: a module may import from its own layer and from those below."""

OFFERED_FROM_ABOVE = {("emotion_timelines", "pipeline.api"), ("emotion_timelines", "pipeline.cli")}
"""What users import, by a name that is looked up when it is used; and what it runs."""

STAGE_FOLDERS = ("stages.read", "stages.faces", "stages.people", "stages.write")


def imports() -> Iterator[tuple[str, str]]:
    """Each module of ours with each module that it imports, wherever in the file."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    for path in [ROOT / "run_pipeline.py", ROOT / "emotion_timelines.py", *files]:
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((module, name.name) for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.module, f"{path}: a relative import hides where it points"
                for name in node.names:
                    full = f"{node.module}.{name.name}"
                    yield module, full if _exists(full) else node.module


def _exists(module: str) -> bool:
    path = ROOT / module.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def within(module: str, *parents: str) -> list[str]:
    """Those of some packages and modules that a module is, or lies in."""
    return [parent for parent in parents if f"{module}.".startswith(f"{parent}.")]


def test_imports_point_downwards() -> None:
    seen, upwards = 0, []
    for module, imported in imports():
        if within(imported, "emotion_timelines", *FOLDERS):
            seen += 1
            own, other = (LAYERS.index(within(name, *LAYERS)[0]) for name in (module, imported))
            if other < own and (module, imported) not in OFFERED_FROM_ABOVE:
                upwards.append(f"{module} imports {imported}")
    assert seen > 200
    assert upwards == []


def test_runs_are_given_annotations() -> None:
    """The tables of a study need pandas: whoever starts a run hands them in."""
    assert not [
        f"{module} imports {imported}"
        for module, imported in imports()
        if within(module, "pipeline.run") and within(imported, "pipeline.study")
    ]


def test_stage_folders_do_not_import_each_other_and_what_they_share_imports_none() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, imported in imports()
        if within(module, "stages")
        and within(imported, *STAGE_FOLDERS) not in ([], within(module, *STAGE_FOLDERS))
    ]
    assert wrong == []


def test_only_files_named_after_ray_import_it() -> None:
    importing = {module for module, imported in imports() if within(imported, "ray")}
    assert importing
    assert all(module.rpartition(".")[2].startswith("ray_") for module in importing)
    assert not any(within(module, "stages", "models", "configs") for module in importing)


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("pipeline.cli", ""),
        ("pipeline.run.actors", ""),
        ("stages.faces.detect, stages.people.track, stages.faces.align", "av cv2"),
        ("stages.read.video_reader", "av"),
        ("stages.classify; stages.classify.load_network(Settings())", "ai_edge_litert"),
        ("pipeline.results.recorder", "av cv2 jinja2 pyarrow PIL"),
    ],
)
def test_a_process_loads_no_more_than_it_runs(module: str, needed: str) -> None:
    """With Ray, each of these is a process of its own, of every video analysed side by side."""
    slow = "ai_edge_litert av cv2 jinja2 matplotlib onnx onnxruntime pandas PIL pyarrow ray scipy"
    program = (
        "import sys; from configs.schema import Settings\n"
        f"import {module}\n"
        f"print(*[each for each in {slow.split()} if each in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(loaded.stdout.split()) == set(needed.split())
