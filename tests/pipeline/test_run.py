"""The main job on real clips and on broken ones, with Ray and without, as a user runs it."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from configs.schema import DetectSettings, ReadSettings
from models.emotions import EMOTIONS
from pipeline.results.report import portraits_in
from pipeline.samples import CLIPS
from stages.columns import TIMELINE, column_names
from stages.faces.detect import make_detector
from stages.faces.detector import SmallImages
from stages.read.video_reader import VideoReader
from tests.pipeline.command import EXECUTORS, RESULTS, file_names, run, summary, timeline

BROKEN = {
    "empty.mp4": "the file is empty",
    "text.mp4": "not a video",
    "cut.mp4": "not a video",
    "sound_only.mp4": "no video stream",
}


@pytest.fixture(scope="module")
def broken(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that cannot be decoded."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("Dear diary")
    whole = samples["single_face.mp4"].read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with av.open(str(samples["single_face.mp4"])) as source:
        stream = source.streams.audio[0]
        with av.open(str(folder / "sound_only.mp4"), "w") as target:
            copy = target.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    target.mux(packet)
    return folder


RayRun = tuple[subprocess.CompletedProcess[str], Path]


@pytest.fixture(scope="module")
def ray_run(
    samples: dict[str, Path], broken: Path, tmp_path_factory: pytest.TempPathFactory
) -> RayRun:
    """All sample clips, a folder of broken files and a missing one, in one go, with Ray."""
    out = tmp_path_factory.mktemp("ray")
    return run("run", broken, "nosuch.mp4", *samples.values(), "-o", out), out


@pytest.fixture(scope="module")
def ray_out(ray_run: RayRun) -> Path:
    return ray_run[1]


@pytest.fixture(scope="module")
def local_out(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local")
    outcome = run("run", *samples.values(), "-o", out, "--executor", "local", "--no-video")
    assert outcome.returncode == 0, outcome.stderr
    return out


def timestamps(path: Path) -> tuple[np.ndarray, Fraction]:
    """Seconds of each frame from the first, as plain FFmpeg decodes them, and a frame's length."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = np.array([float(frame.pts * frame.time_base) for frame in container.decode(stream)])
        return times - times[0], 1 / stream.average_rate


@pytest.mark.parametrize("clip", CLIPS)
def test_every_frame_is_in_the_table_at_its_time(
    ray_out: Path, samples: dict[str, Path], clip: str
) -> None:
    rows = timeline(ray_out / clip)
    assert tuple(rows[0]) == tuple(column_names(TIMELINE))
    expected, _ = timestamps(samples[clip])
    frames = np.array([int(row["frame"]) for row in rows])
    assert (np.diff(frames) >= 0).all()
    assert sorted(set(frames)) == list(range(len(expected)))
    np.testing.assert_allclose([float(row["time_s"]) for row in rows], expected[frames], atol=1e-3)


@pytest.mark.parametrize("clip", CLIPS)
def test_rows_are_consistent(ray_out: Path, clip: str) -> None:
    facts = summary(ray_out / clip)
    for row in timeline(ray_out / clip):
        if row["track"] == "":
            assert all(
                (row[name] == "") == (name != "no_face") for name in column_names(TIMELINE)[2:]
            )
            continue
        assert row["no_face"] == ""
        probabilities = [float(row[name]) for name in EMOTIONS]
        assert sum(probabilities) == pytest.approx(1, abs=1e-9)
        assert row["emotion"] == EMOTIONS[int(np.argmax(probabilities))]
        assert 0 <= float(row["x"]) <= facts["video"]["width"] - float(row["width"]) + 0.1
        assert 0 <= float(row["y"]) <= facts["video"]["height"] - float(row["height"]) + 0.1
        assert 0 < float(row["score"]) <= 1


@pytest.mark.parametrize("clip", CLIPS)
def test_annotated_video_has_all_frames_at_their_times_and_the_sound(
    ray_out: Path, samples: dict[str, Path], clip: str
) -> None:
    film = ray_out / clip / "annotated.mp4"
    expected, frame_s = timestamps(samples[clip])
    times, _ = timestamps(film)
    np.testing.assert_allclose(times, expected, atol=1e-3)
    with av.open(str(film)) as annotated, av.open(str(samples[clip])) as source:
        picture = annotated.streams.video[0]
        assert (picture.codec_context.name, picture.pix_fmt) == ("h264", "yuv420p")
        duration_s = float(picture.duration * picture.time_base)
        assert duration_s == pytest.approx(expected[-1] + frame_s, abs=float(frame_s))
        packets = [
            sum(packet.size > 0 for packet in container.demux(container.streams.audio[0]))
            for container in (annotated, source)
        ]
        assert packets[0] == packets[1]


def faces(folder: Path) -> tuple[float, set[str]]:
    """Share of frames with a face, and all person ids."""
    rows = timeline(folder)
    with_face = {row["frame"] for row in rows if row["track"]}
    share = len(with_face) / len({row["frame"] for row in rows})
    return share, {row["track"] for row in rows} - {""}


def test_faces_are_found_where_they_are_and_nowhere_else(ray_out: Path) -> None:
    assert faces(ray_out / "no_face.mp4")[0] <= 0.01
    share, people = faces(ray_out / "single_face.mp4")
    assert share >= 0.99
    assert people == {"1"}
    share, people = faces(ray_out / "WolfgangLanger_Pexels.mp4")
    assert share >= 0.97
    assert people == {"1"}


def test_the_smile_is_seen(ray_out: Path) -> None:
    """The man of this clip looks neutral at first, and smiles at the end."""
    emotions = [row["emotion"] for row in timeline(ray_out / "single_face.mp4")]
    assert emotions[:10] == ["neutral"] * 10
    assert emotions[-20:].count("happy") >= 15


@pytest.mark.parametrize("clip", CLIPS)
def test_ray_and_local_give_the_same_table(ray_out: Path, local_out: Path, clip: str) -> None:
    tables = [(out / clip / "timeline.csv").read_bytes() for out in (ray_out, local_out)]
    assert tables[0] == tables[1]


@pytest.mark.ray  # Where its fixture is made already.
def test_no_video_means_none(local_out: Path) -> None:
    assert file_names(local_out / "no_face.mp4") == RESULTS - {"annotated.mp4"}


@pytest.mark.parametrize("clip", CLIPS)
def test_summary_of_a_good_clip(ray_out: Path, clip: str) -> None:
    folder, facts = ray_out / clip, summary(ray_out / clip)
    rows = timeline(folder)
    assert file_names(folder) == RESULTS == set(facts["files"]) | {"summary.json"}
    assert (facts["status"], facts["reason"], facts["dropped"]) == ("complete", None, 0)
    assert facts["frames"] == len({row["frame"] for row in rows})
    assert facts["faces"] == sum(row["track"] != "" for row in rows)
    assert facts["tracks"] == len({row["track"] for row in rows} - {""})
    assert facts["duration_s"] == pytest.approx(float(rows[-1]["time_s"]))
    assert facts["settings"]["detect"]["detector"] == "yunet"
    assert len(facts["model"]["sha256"]) == 64
    assert facts["versions"]["av"] == av.__version__


def test_broken_files_are_reported_and_the_others_are_analysed(
    ray_run: RayRun, broken: Path
) -> None:
    outcome, out = ray_run
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr + outcome.stdout
    assert "nosuch.mp4: no such file" in outcome.stderr
    for name, reason in BROKEN.items():
        line = next(line for line in outcome.stderr.splitlines() if str(broken / name) in line)
        assert reason in line
        assert (summary(out / name)["status"], file_names(out / name)) == (
            "failed",
            {"summary.json"},
        )
        assert reason in summary(out / name)["reason"]


def test_no_output_of_libraries_is_shown(ray_run: RayRun) -> None:
    outcome, _ = ray_run
    for chatter in ("Ray", "ray::", "TensorFlow", "XNNPACK", "WARNING", "INFO"):
        assert chatter not in outcome.stderr + outcome.stdout


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_full_disk_is_reported(
    samples: dict[str, Path], tmp_path: Path, small_disk: Path, executor: str
) -> None:
    outcome = run("run", samples["single_face.mp4"], "-o", small_disk, "--executor", executor)
    assert outcome.returncode == 1
    assert "No space left" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    left = file_names(small_disk / "single_face.mp4")
    assert not {name for name in left if name.startswith(".")}
    assert "annotated.mp4" not in left


def test_a_folder_that_cannot_be_made_is_reported(samples: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = run(
        "run", samples["single_face.mp4"], "-o", tmp_path / "file" / "out", "--executor", "local"
    )
    assert outcome.returncode == 1
    assert "cannot be written" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_results_of_an_earlier_run_do_not_stay_beside_a_failure(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    video = tmp_path / "a.mp4"
    shutil.copy(samples["no_face.mp4"], video)
    assert run("run", video, "-o", tmp_path / "out", "--executor", "local").returncode == 0
    video.write_text("overwritten")
    assert run("run", video, "-o", tmp_path / "out", "--executor", "local").returncode == 1
    assert file_names(tmp_path / "out" / "a.mp4") == {"summary.json"}


def test_blurred_results_show_no_face(samples: dict[str, Path], tmp_path: Path) -> None:
    clip = samples["single_face.mp4"]
    run("run", clip, "-o", tmp_path, "--executor", "local", "--blur")
    folder = tmp_path / clip.name
    assert summary(folder)["settings"]["video"]["blur"] is True
    assert portraits_in(folder / "report.html") == {}
    detector = make_detector(DetectSettings(threshold=0.8))
    with VideoReader(folder / "annotated.mp4", ReadSettings()) as reader:
        for batch in reader.batches():
            images = SmallImages(batch.pixels, width_px=640)
            assert not any(len(detector.find(images[index])) for index in range(len(batch)))
    assert not len(detector.find(cv2.imread(str(folder / "thumbnail.jpg"))))


def test_raw_probabilities_are_written_if_asked_for(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    clip = samples["single_face.mp4"]
    run("run", clip, "-o", tmp_path, "--executor", "local", "--set", "smooth.keep_raw=true")
    rows = timeline(tmp_path / clip.name)
    assert list(rows[0])[-7:] == [f"raw_{emotion}" for emotion in EMOTIONS]
    smooth, raw = (
        np.array([[float(row[prefix + emotion]) for emotion in EMOTIONS] for row in rows])
        for prefix in ("", "raw_")
    )
    np.testing.assert_allclose(raw.sum(axis=1), 1, atol=1e-9)
    jitter, raw_jitter = (np.abs(np.diff(each, n=2, axis=0)).sum() for each in (smooth, raw))
    assert jitter < 0.5 * raw_jitter


def test_a_detector_that_finds_no_eyes_measures_no_turn(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    clip = samples["single_face.mp4"]
    options = ["--executor", "local", "--no-video", "--to", "0.5", "--set", "detect.detector=haar"]
    assert not run("run", clip, "-o", tmp_path, *options).returncode
    rows = timeline(tmp_path / clip.name)
    assert {row["roll_deg"] for row in rows} == {""}
    assert {row["usable"] for row in rows} == {"1"}
