"""ELAN's documents, read back as ELAN reads them."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path, PurePosixPath, PureWindowsPath
from xml.etree import ElementTree

import pympi
import pytest

from pipeline.results.exports.elan import _url
from tests.pipeline.command import run
from tests.pipeline.results.test_export import CLIP, film_begins_s

NAME = "größer als 100%41 #1?.mov"

ORDER = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LANGUAGE", "CONSTRAINT",
         "CONTROLLED_VOCABULARY"]  # fmt: skip
"""Of the parts of a document, in the schema."""


@pytest.fixture(scope="module")
def video(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(samples[CLIP], tmp_path_factory.mktemp("with space") / NAME))


def document_of(video: Path, out: Path, *options: str) -> Path:
    asked = ("run", video, "-o", out, "--executor", "local", "--export", "eaf", *options)
    outcome = run(*asked)
    assert outcome.returncode == 0, outcome.stderr
    return out / video.name / "timeline.eaf"


@pytest.fixture(scope="module")
def document(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return document_of(video, tmp_path_factory.mktemp("elan"))


def media_of(document: Path) -> list[tuple[Path, Path, str]]:
    """Paths and type of each medium: ELAN cuts off ``file:`` and two slashes, and no more."""
    return [
        (
            Path(medium.attrib["MEDIA_URL"].removeprefix("file://")),
            document.parent / medium.attrib["RELATIVE_MEDIA_URL"],
            medium.attrib["MIME_TYPE"],
        )
        for medium in ElementTree.parse(document).iter("MEDIA_DESCRIPTOR")
    ]


def test_it_has_the_form_of_eaf_3_0(document: Path) -> None:
    root = ElementTree.parse(document).getroot()
    assert root.attrib["FORMAT"] == root.attrib["VERSION"] == "3.0"
    assert [name for name in ORDER for part in root if part.tag == name] == [
        part.tag for part in root
    ]
    used = [part.attrib["ANNOTATION_ID"] for part in root.iter() if "ANNOTATION_ID" in part.attrib]
    (last,) = (part.text for part in root.iter("PROPERTY"))
    assert max(int(name.removeprefix("a")) for name in used) == int(last or 0)


def test_segments_are_annotations_from_the_vocabulary(document: Path) -> None:
    with (document.parent / "segments.csv").open(newline="") as lines:
        segments = list(csv.DictReader(lines))
    eaf = pympi.Eaf(str(document))
    assert list(eaf.get_tier_names()) == ["Person 1", "Person 1 confidence"]
    annotations = eaf.get_annotation_data_for_tier("Person 1")
    begins_s = film_begins_s(document.parent / "annotated.mp4")
    assert len(annotations) == len(segments)
    for (start_ms, end_ms, value), segment in zip(annotations, segments, strict=True):
        assert value == segment["emotion"]
        assert start_ms / 1000 == pytest.approx(begins_s + float(segment["start_s"]), abs=0.002)
        assert end_ms / 1000 == pytest.approx(begins_s + float(segment["end_s"]), abs=0.002)
    tier = eaf.get_parameters_for_tier("Person 1")
    assert tier["PARTICIPANT"] == "Person 1"
    kind = eaf.get_parameters_for_linguistic_type(tier["LINGUISTIC_TYPE_REF"])
    entries = eaf.get_cv_entries(kind["CONTROLLED_VOCABULARY_REF"])
    label_of = {entry: values[0][0] for entry, (values, _) in entries.items()}
    assert len(label_of) == 8
    assert all(len(values[0][2]) > 20 for values, _ in entries.values())
    for annotation in ElementTree.parse(document).iter("ALIGNABLE_ANNOTATION"):
        assert label_of[annotation.attrib["CVE_REF"]] == annotation.findtext("ANNOTATION_VALUE")


def test_confidence_depends_on_the_expression(document: Path) -> None:
    with (document.parent / "segments.csv").open(newline="") as lines:
        expected = [segment["confidence"] for segment in csv.DictReader(lines)]
    eaf = pympi.Eaf(str(document))
    tier = eaf.get_parameters_for_tier("Person 1 confidence")
    assert (tier["PARENT_REF"], tier["PARTICIPANT"]) == ("Person 1", "Person 1")
    kind = eaf.get_parameters_for_linguistic_type(tier["LINGUISTIC_TYPE_REF"])
    assert (kind["CONSTRAINTS"], kind["TIME_ALIGNABLE"]) == ("Symbolic_Association", "false")
    rows = eaf.get_ref_annotation_data_for_tier("Person 1 confidence")
    parents = eaf.get_annotation_data_for_tier("Person 1")
    assert [(*row[:2], row[3]) for row in rows] == parents
    assert [row[2] for row in rows] == expected


def test_the_annotated_film_comes_first_then_the_video(document: Path, video: Path) -> None:
    film = document.parent / "annotated.mp4"
    (first, first_beside, kind), (second, second_beside, other_kind) = media_of(document)
    assert first == film
    assert first_beside.resolve() == film
    assert second == video
    assert second_beside.resolve() == video
    assert (kind, other_kind) == ("video/mp4", "video/quicktime")


@pytest.mark.parametrize("option", ["--no-video", "--blur"])
def test_media_are_what_may_be_shown(video: Path, tmp_path: Path, option: str) -> None:
    document = document_of(video, tmp_path, option)
    expected = video if option == "--no-video" else document.parent / "annotated.mp4"
    assert [path for path, *_ in media_of(document)] == [expected]


def test_paths_of_windows_are_as_elan_writes_them() -> None:
    assert _url(PureWindowsPath(r"C:\a b\c.mp4")) == "file:///C:/a b/c.mp4"
    assert _url(PureWindowsPath(r"\\machine\share\c.mp4")) == "file://machine/share/c.mp4"
    assert _url(PurePosixPath("/a b/c.mp4")) == "file:///a b/c.mp4"
