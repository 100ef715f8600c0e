"""The Python interface, as programs and notebooks use it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import filelock
import pandas
import pytest

import emotion_timelines
import pipeline
from configs import errors
from configs.errors import ConfigError, SourceError, UsageError
from configs.load import load_settings
from emotion_timelines import Result, analyse, load
from models.emotions import EMOTIONS
from stages.columns import TIMELINE, column_names
from tests.pipeline.command import ROOT, summary
from tests.stages.clips import cut, make_clip
from tests.streams import wait_until

WITH_FACE, WITHOUT_FACE = "single_face.mp4", "no_face.mp4"
TABLE_ONLY = {"video.enabled": False}
EXECUTORS = ("local", pytest.param("ray", marks=pytest.mark.slow))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("timelines")


@pytest.fixture(scope="module")
def result(samples: dict[str, Path], out: Path) -> Result:
    return analyse(samples[WITH_FACE], out, executor="local", settings=TABLE_ONLY)


@pytest.fixture(scope="module")
def result_without_faces(samples: dict[str, Path], out: Path) -> Result:
    return analyse(samples[WITHOUT_FACE], out, executor="local", settings=TABLE_ONLY)


def run_program(program: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        program_command(program, *arguments),
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def program_command(program: str, *arguments: object) -> list[str]:
    """A program in a file of its own interpreter, which finds the packages."""
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    return [sys.executable, "-c", path + textwrap.dedent(program), *map(str, arguments)]


def test_tables_are_those_of_the_files(result: Result, out: Path) -> None:
    assert result.folder == out / WITH_FACE
    assert result.summary == json.loads((result.folder / "summary.json").read_text())
    assert result.summary["status"] == "complete"
    for table, file in ((result.timeline, "timeline.csv"), (result.segments, "segments.csv")):
        pandas.testing.assert_frame_equal(
            table, pandas.read_csv(result.folder / file, dtype={"no_face": "string"}),
            check_dtype=False, rtol=1e-5,
        )  # fmt: skip
    assert tuple(result.timeline) == tuple(column_names(TIMELINE))
    assert result.segments.emotion.tolist()[-1] == "happy"


def test_people_are_those_of_the_summary(result: Result) -> None:
    (person,) = result.summary["people"]
    (row,) = result.people.to_dict("records")
    assert [row[f"share_{name}"] for name in EMOTIONS] == list(person["shares"].values())
    assert row["changes"] == sum(person["transitions"].values()) > 0
    for name in ("track", "first_s", "last_s", "face_s", "confidence"):
        assert row[name] == person[name]


def test_result_says_what_made_it(result: Result, samples: dict[str, Path]) -> None:
    assert result.summary["command"].startswith(f"analyse({str(samples[WITH_FACE])!r}, out=")
    assert result.summary["settings"]["video"]["enabled"] is False


def test_result_that_is_there_is_returned(result: Result, samples: dict[str, Path]) -> None:
    made_ns = (result.folder / "timeline.csv").stat().st_mtime_ns
    again = analyse(
        samples[WITH_FACE], result.folder.parent, executor="local",
        settings=result.summary["settings"],
    )  # fmt: skip
    assert again.summary == result.summary
    assert (again.folder / "timeline.csv").stat().st_mtime_ns == made_ns


def test_columns_have_types_also_without_faces(result_without_faces: Result) -> None:
    timeline = result_without_faces.timeline
    assert len(timeline) == result_without_faces.summary["frames"]
    assert timeline.track.dtype == "Int64"
    assert timeline.track.isna().all()
    assert timeline.emotion.dtype == "string"
    for table in (result_without_faces.segments, result_without_faces.people):
        assert len(table) == 0
        assert table.track.dtype == "Int64"
    assert result_without_faces.segments.emotion.dtype == "string"
    assert result_without_faces.segments.start_s.dtype == "float64"


def test_load_joins_the_tables_of_all_videos(
    result: Result, result_without_faces: Result, out: Path
) -> None:
    timeline = load(out)
    assert tuple(timeline) == ("video", *column_names(TIMELINE))
    assert timeline.video.unique().tolist() == [WITHOUT_FACE, WITH_FACE]
    assert len(timeline) == len(result.timeline) + len(result_without_faces.timeline)
    assert timeline.dtypes.drop("video").equals(result.timeline.dtypes)
    assert load(out, "segments").video.unique().tolist() == [WITH_FACE]
    assert load(str(out), "people").face_s.tolist() == result.people.face_s.tolist()
    assert load(result.folder, "segments").video.unique().tolist() == [WITH_FACE]


def test_load_says_what_is_wrong(out: Path, result: Result, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'segments'.*timeline, segments, videos, people"):
        load(out, "segment")
    with pytest.raises(UsageError, match=r"no timeline\.csv in it"):
        load(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        load(tmp_path / "nosuch")
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(SourceError, match=r"summary\.json: not a summary"):
        load(tmp_path, "people")


def test_failure_raises_with_name_and_reason(samples: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("Dear diary")
    for _ in range(2):  # The second time, the failure of the first is on record.
        with pytest.raises(SourceError, match=rf"{broken}: not a video"):
            analyse(broken, tmp_path / "out", executor="local")
    with pytest.raises(SourceError, match=r"nosuch\.mp4: no such file"):
        analyse("nosuch.mp4", tmp_path / "out", executor="local")
    with pytest.raises(UsageError, match=r"^rtsp://\*\*\*@camera/stream: .*takes recorded videos"):
        analyse("rtsp://user:password@camera/stream", tmp_path / "out", executor="local")
    with pytest.raises(SourceError, match=r"^rtsp:/\*\*\*@camera/stream: no such file"):
        analyse("rtsp:/user:password@camera/stream", tmp_path / "out", executor="local")


def test_several_videos_or_a_folder_give_a_list_also_where_one_fails(tmp_path: Path) -> None:
    folder, out = tmp_path / "recordings", tmp_path / "out"
    (folder / "b").mkdir(parents=True)
    clips = [make_clip(folder / name, frames=3) for name in ("c.mp4", "a.mp4", "b/d.mp4")]
    broken = folder / "b.mp4"
    broken.write_text("Dear diary")
    given: list[str | Path] = [clips[0], broken, clips[1], str(clips[0])]
    results = analyse(given, out, executor="local", settings=TABLE_ONLY)
    assert [each.folder.name for each in results] == ["c.mp4", "b.mp4", "a.mp4"]
    assert [each.summary["status"] for each in results] == ["complete", "failed", "complete"]
    assert results[1].summary["reason"].startswith("not a video")
    assert len(results[2].timeline) == 3
    with pytest.raises(SourceError, match=r"timeline\.csv"):
        _ = results[1].timeline
    of_folder = analyse(folder, out, executor="local", settings=TABLE_ONLY)
    assert isinstance(of_folder, list)
    names = [each.folder.relative_to(out).as_posix() for each in of_folder]
    assert names == ["a.mp4", "b/d.mp4", "b.mp4", "c.mp4"]
    assert of_folder[0].summary == results[2].summary
    assert of_folder[3].summary == results[0].summary
    (alone,) = analyse([folder / "a*.mp4"], out, executor="local", settings=TABLE_ONLY)
    assert alone.summary == of_folder[0].summary
    assert analyse([], out) == []


def test_a_source_without_a_video_among_several_is_told_before_any_is_analysed(
    tmp_path: Path,
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=3)
    with pytest.raises(SourceError, match=r"nosuch\.mp4: no such file"):
        analyse([clip, "nosuch.mp4"], tmp_path / "out", executor="local")
    assert not (tmp_path / "out").exists()


def test_every_error_is_offered_and_stands_in_the_tree() -> None:
    tree, path = set(), ["Exception"]
    for indent, name in re.findall(r"^( *)(?:- )?(\w+Error)\b", str(errors.__doc__), re.MULTILINE):
        path[(len(indent) + 2) // 4 + 1 :] = [name]
        tree.add((name, path[-2]))
    real = {
        (name, each.__bases__[0].__name__)
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, Exception)
    }
    assert tree == real
    assert {name for name, _ in real} == set(errors.__all__)
    for module in (emotion_timelines, pipeline):
        assert {"Result", "analyse", "load", "load_settings"} == {*module.__all__} - {
            *errors.__all__
        }
        assert all(getattr(module, name) for name in module.__all__)


def test_damaged_video_gives_a_partial_result(tmp_path: Path) -> None:
    damaged = cut(make_clip(tmp_path / "clip.mkv"))
    result = analyse(damaged, tmp_path / "out", executor="local", settings=TABLE_ONLY)
    assert result.summary["status"] == "partial"
    assert "cut off" in result.summary["reason"]
    assert 0 < len(result.timeline) < 30


@pytest.mark.parametrize(
    "settings",
    [
        {"video.enabled": False, "track.min_s": 0.5, "executor.kind": "local"},
        {"video": {"enabled": False}, "track": {"min_s": 0.5}, "executor.kind": "local"},
        load_settings(
            assignments=["video.enabled=false", "track.min_s=0.5", "executor.kind=local"]
        ),
    ],
)
def test_settings_are_heeded_in_each_form(tmp_path: Path, settings: Any) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=3)
    made_with = analyse(clip, tmp_path / "out", settings=settings).summary["settings"]
    assert made_with["video"]["enabled"] is False
    assert made_with["track"] == {"max_gap_s": 1.0, "remember_s": 3600, "min_s": 0.5}
    assert made_with["executor"]["kind"] == "local"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": {"detect.widht_px": 960}}, "detect.widht_px: unknown, did you mean"),
        ({"settings": {"detect": 960}}, "detect: 960 is wrong"),
        ({"settings": {"detector": "haar"}}, "detector: unknown, did you mean 'detect'"),
        ({"executor": "lokal"}, "executor.kind: 'lokal' is wrong.* did you mean 'local'"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        analyse("interview.mp4", tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_output_folder_of_another_run_is_refused(samples: dict[str, Path], tmp_path: Path) -> None:
    with (
        filelock.FileLock(tmp_path / ".lock"),
        pytest.raises(UsageError, match="another run is writing there"),
    ):
        analyse(samples[WITH_FACE], tmp_path, executor="local")


def test_progress_is_shown_if_asked_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=3)
    analyse(clip, tmp_path / "out", executor="local", settings=TABLE_ONLY, progress=True)
    shown = capfd.readouterr()
    assert "clip.mp4: complete, 3 frames" in shown.err
    assert shown.out == ""


TWO_AT_ONCE = """
    import asyncio, signal, sys
    from pipeline import analyse

    executor, *videos = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: None)
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]

    async def notebook():
        threads = [
            asyncio.to_thread(analyse, video, f"in thread {number}", executor=executor)
            for number, video in enumerate(videos)
        ]
        await asyncio.gather(*threads)
        analyse(videos[0], "in the running loop", executor=executor)

    asyncio.run(notebook())
    assert handlers == [signal.getsignal(number) for number in signal.valid_signals()]
    assert executor == "ray" or "ray" not in sys.modules
    assert "tensorflow" not in sys.modules
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_works_in_threads_and_in_a_running_loop_in_silence(
    samples: dict[str, Path], tmp_path: Path, executor: str
) -> None:
    videos = (WITH_FACE, WITHOUT_FACE)
    outcome = run_program(
        TWO_AT_ONCE, executor, *(samples[name] for name in videos), folder=tmp_path
    )
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")
    places = {
        "in thread 0": WITH_FACE,
        "in thread 1": WITHOUT_FACE,
        "in the running loop": WITH_FACE,
    }
    for folder, video in places.items():
        assert (tmp_path / folder / video / "annotated.mp4").exists()
    in_thread, in_loop = (
        (tmp_path / folder / WITH_FACE / "timeline.csv").read_bytes()
        for folder in ("in thread 0", "in the running loop")
    )
    assert in_thread == in_loop


def test_import_is_light(tmp_path: Path) -> None:
    program = """
        import sys, pipeline
        print({"ray", "cv2", "tensorflow", "pandas", "numpy", "pydantic"} & set(sys.modules))
    """
    assert run_program(program, folder=tmp_path).stdout == "set()\n"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_interrupted_program_leaves_no_half_written_file(
    samples: dict[str, Path], tmp_path: Path, executor: str
) -> None:
    """As the button that interrupts the kernel of a notebook does."""
    clip = samples["WolfgangLanger_Pexels.mp4"]
    program = """
        import signal, sys
        from pipeline import analyse
        signal.signal(signal.SIGINT, signal.default_int_handler)  # Background jobs ignore it.
        try:
            analyse(sys.argv[1], sys.argv[2], executor=sys.argv[3])
        except KeyboardInterrupt:
            print("interrupted")
    """
    command = program_command(program, clip, tmp_path, executor)
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    film = tmp_path / clip.name / ".unfinished.annotated.mp4"
    try:
        wait_until(film.exists, timeout_s=120)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n"
    finally:
        process.kill()
    left = {path.name for path in (tmp_path / clip.name).iterdir()}
    assert not {name for name in left if name.startswith(".")}
    if left:
        assert summary(tmp_path / clip.name)["interrupted"] is True


def test_example_of_the_readme(
    samples: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", readme, flags=re.MULTILINE)
    (python,) = [text for text in section if text.startswith("Python\n")]
    example = re.search(r"(?:^    .*\n|^\n)+", python[python.index("\n    ") :], re.MULTILINE)
    assert example
    shutil.copy(samples[WITH_FACE], tmp_path / "interview.mp4")
    monkeypatch.chdir(tmp_path)
    shown: dict[str, object] = {}
    exec(textwrap.dedent(example.group()), shown)
    assert isinstance(shown["result"], Result)
    assert (tmp_path / "timelines" / "interview.mp4" / "report.html").exists()
