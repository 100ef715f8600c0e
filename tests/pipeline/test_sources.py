"""What a user types as SOURCE becomes the right videos, each with a folder of its own."""

import unicodedata
from pathlib import Path

import pytest

from configs.errors import ConfigError, UsageError
from configs.schema import Settings, VideoSettings
from pipeline.sources import find_jobs, find_streams


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a.MOV", "notes.txt", "day 2/a.mkv", "day 2/ünï\nline.webm"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def folders(sources: list[str], out: Path = Path("out")) -> list[str]:
    return [str(job.folder.relative_to(out)) for job in find_jobs(sources, out)[0]]


def test_folder_is_searched_and_its_tree_mirrored(tree: Path) -> None:
    assert folders([str(tree)]) == ["a.MOV", "b.mp4", "day 2/a.mkv", "day 2/ünï\nline.webm"]


def test_file_of_any_name_is_taken_when_named(tree: Path) -> None:
    assert folders([str(tree / "notes.txt")]) == ["notes.txt"]


def test_patterns_are_expanded(tree: Path) -> None:
    assert folders([str(tree / "**" / "a.*")]) == ["a.MOV", "a.mkv"]


def test_each_video_once_and_no_folder_twice(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "b.mp4"
    other.parent.mkdir()
    other.touch()
    named = [str(tree / "b.mp4"), str(other), str(tree / ".." / "in" / "b.mp4")]
    assert folders(named) == ["b.mp4", "b-2.mp4"]


def test_sources_without_video_are_named(tree: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    sources = [str(empty), str(tmp_path / "nosuch.mp4"), str(tmp_path / "*.avi")]
    jobs, problems = find_jobs([*sources, str(tree / "b.mp4")], tmp_path / "out")
    assert [job.name for job in jobs] == ["b.mp4"]
    assert [str(problem).split(": ")[0] for problem in problems] == sources


def test_an_empty_name_is_not_the_working_directory(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    jobs, problems = find_jobs([""], Path("out"))
    assert not jobs
    assert "an empty name" in str(problems[0])


def test_the_working_directory_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = tmp_path / "walk"
    walk.mkdir()
    for number in (1, 2):
        (walk / f"{number}.png").touch()
    monkeypatch.chdir(walk)
    (job,), _ = find_jobs(["."], Path("out"), pictures=True)
    assert job.name == "walk"


def test_live_sources_are_told_from_files_and_named_without_their_secrets(tree: Path) -> None:
    sources = ["0", "rtsp://me:hush@camera:554/door?token=abc&x=1", str(tree / "b.mp4")]
    streams = find_streams(sources, Settings(), Path("out"))
    assert [(stream.name, stream.source) for stream in streams] == [
        ("camera-0", "0"),
        ("camera-554-door", "rtsp://***@camera:554/door?***"),
    ]
    assert "hush" not in repr(streams)
    assert streams[1].address == sources[1]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp:/me:hush@cam/x", "rtsp:/***@cam/x"),
        ("me:hush@cam/x", "***@cam/x"),
        ("cache:http://me:hush@cam/x", "***http://***@cam/x"),
        ("rtsp//cam/hush", "rtsp//cam/***"),
        ("rtsp:me:hush*@cam", "rtsp:***@cam"),
        ("me:hush@" + 300 * "x", "***@" + 300 * "x"),
        ("010", "010: no such file; the number of a camera has no zeros before it"),
    ],
)
def test_what_is_no_address_is_a_file_and_shown_without_secrets_all_the_same(
    source: str, shown: str
) -> None:
    assert find_streams([source], Settings(), Path("out")) == []
    jobs, (problem,) = find_jobs([source], Path("out"))
    assert not jobs
    assert str(problem).startswith(shown)
    assert "hush" not in str(problem)


@pytest.mark.parametrize("source", ["file:///videos/clip.mp4", "ftp://me:hush@host/clip.mp4"])
def test_addresses_of_files_are_refused(source: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_streams([source], Settings(), Path("out"))
    assert "hush" not in str(caught.value)


def test_a_camera_need_not_be_there_yet_and_an_address_may_end_like_a_list() -> None:
    sources = ["/dev/video97", "97", "http://me:hush@cam/list.yaml"]
    streams = find_streams(sources, Settings(), Path("out"))
    assert [stream.name for stream in streams] == ["dev-video97", "camera-97", "cam"]


def test_named_cameras_have_settings_of_their_own(tmp_path: Path) -> None:
    listed = tmp_path / "cameras.yaml"
    listed.write_text(
        "- {name: Front door, address: 0, settings: }\n"
        "- {name: Yard, address: 'udp://:9000', settings: {detect: {width_px: 960}}}\n"
    )
    usual = Settings(video=VideoSettings(crf=30))
    front, yard = find_streams([str(listed)], usual, tmp_path)
    assert (front.name, front.address, front.settings) == ("Front door", "0", usual)
    assert (yard.settings.detect.width_px, yard.settings.video.crf) == (960, 30)


def test_a_camera_may_have_any_name_that_a_folder_may_have(tmp_path: Path) -> None:
    names = ["Küche (oben)", "Tür #2 & Flur", "カメラ１", "(oben)", "O'Brien, 50%", "010", "कैमरा"]
    listed = tmp_path / "cameras.yaml"
    decomposed = unicodedata.normalize("NFD", names[0])
    listed.write_text("".join(f'- {{name: "{name}", address: 0}}\n' for name in names[1:]))
    listed.write_text(listed.read_text() + f"- {{name: {decomposed}, address: 0}}\n")
    streams = find_streams([str(listed)], Settings(), tmp_path)
    assert {stream.name for stream in streams} == set(names)
    for stream in streams:
        stream.folder.mkdir()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- {name: a, address: 0}\n- {name: a, address: 1}", "two cameras are called a"),
        ("- {name: ../a, address: x}", "0.name"),
        ("- {address: 'rtsp://me:hush@x'}", "0.name"),
        ("- {name: a, address: 'rtsp://me:hush@x', setings: {}}", "0.setings"),
        ("- {name: a, address: 0, settings: {detect: {widht_px: 3}}}", "detect.widht_px: unknown"),
        ("- {name: a, address: 0, settings: {executor: {}}}", "a camera's own settings are"),
        ("detect: {}", "expected a list of cameras"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
        ("- name: a\n  address: 'rtsp://me:hush@x\n", "line 3: not valid YAML: found unexpected"),
        ("- {name: a, address: rtsp://me:p,hush@x}", "0.a key that is none: extra inputs"),
        ("- {name: a, rtsp://me:hush@x}", "0.address: field required"),
        ("- {name: a, address: 0, settings: {hush: {}}}", "a camera's own settings are"),
        ("- {name: 'Yard:hush', address: 0}", "0.name: a name has none of / \\ :"),
        ("- {name: a, address: 010}", "a: address: expected the number of a camera (without zeros"),
        ("- {name: a, address: 0x8}", "a: address: expected the number"),
        ("- {name: a, address: clips/hush.mp4}", "a: address: expected the number of a camera"),
        ("- {name: a, address: 'file:///hush.mp4'}", "a file is given by its path"),
        ("- {name: a, address: 'rtsp:/me:hush@x'}", "a: address: expected the number of a camera"),
        ("- {name: a, address: 'rstp://me:hush@x'}", "rstp is not a protocol of live streams"),
        ("- {name: a, address: 0, settings: {live: {duration_s: .inf}}}", "finite number"),
        ("[]", "no camera in this list"),
        ("", "the file: input should be a valid list"),
    ],
)
def test_wrong_lists_of_cameras_are_explained(tmp_path: Path, text: str, problem: str) -> None:
    listed = tmp_path / "cameras.yaml"
    listed.write_text(text)
    with pytest.raises(ConfigError) as caught:
        find_streams([str(listed)], Settings(), tmp_path)
    message = str(caught.value)
    assert "cameras.yaml" in message
    assert problem in message
    assert "hush" not in message


def test_numbered_pictures_are_a_video_when_asked_for(tmp_path: Path) -> None:
    walk = tmp_path / "in" / "walk"
    walk.mkdir(parents=True)
    for number in (8, 9, 10):
        (walk / f"frame{number}.jpg").write_bytes(bytes(number))
    (tmp_path / "in" / "IMG_1.jpg").touch()
    (tmp_path / "in" / "portrait.jpg").touch()
    sources = [str(tmp_path / "in")]
    jobs, problems = find_jobs(sources, tmp_path / "out")
    assert not jobs
    assert "no video in this folder, or none that is wanted; of pictures, name" in str(problems[0])
    jobs, problems = find_jobs([str(walk)], tmp_path / "out")
    assert "3 numbered pictures, but no video; --set read.rate=25" in str(problems[0])
    named = str(walk / "frame%d.jpg")
    jobs, problems = find_jobs([named], tmp_path / "out")  # Lest a result be replaced by a failure.
    assert not jobs
    assert "3 numbered pictures" in str(problems[0])
    jobs, problems = find_jobs([str(walk)], tmp_path / "out", pictures=True)
    assert [job.folder.name for job in jobs] == ["walk"]
    (walk / "frame9.jpg").write_bytes(b"another")
    assert jobs[0].identity()["bytes"] == 8 + 7 + 10
