"""Write segments for ELAN, the annotation tool of the MPI for Psycholinguistics, as EAF 3.0.

A person has a tier of expressions, from a controlled vocabulary, and below it one with how sure
they are. Paths of media are written as ELAN reads them: ``file:///`` and the path, whose characters
it takes as they are, so that none is percent-encoded (``FileUtility.urlToAbsPath`` of its sources).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from configs.names import printable
from pipeline.results.person import name_of
from pipeline.results.segments import MEANINGS, segments_by_person
from pipeline.results.video_result import VideoResult

if TYPE_CHECKING:
    from pympi import Eaf

ANNOTATOR = "Emotion Timelines"
EXPRESSION, CONFIDENCE = "expression", "confidence"
"""Types of tiers; the first is also the name of the vocabulary."""

LANGUAGE = ("eng", "http://cdb.iso.org/lg/CDB-00138502-001", "English (eng)")
"""Id, definition and label, as ELAN has them."""

VERSION = {
    "VERSION": "3.0",
    "FORMAT": "3.0",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
}

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".qt": "video/quicktime",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
}
"""What ELAN knows by suffix; it takes every other video for ``ANY_VIDEO``."""

ANY_VIDEO = "video/*"


def write_elan(result: VideoResult, path: Path) -> None:
    """Write the segments of a video as an ELAN document.

    Raises:
        OSError: it cannot be written.
    """
    from pympi import Eaf, Elan  # Seldom needed.

    document = Eaf(author=ANNOTATOR)
    document.adocument |= VERSION
    document.header |= {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    document.remove_tier("default")
    document.remove_linguistic_type("default-lt")
    for film in _media(result):
        document.add_linked_file(
            _url(film.absolute()),
            _relative_path(film.absolute(), path.parent.absolute()),
            mimetype=MEDIA_TYPES.get(film.suffix.lower(), ANY_VIDEO),
        )
    _add_types(document)
    of_person = segments_by_person(result.segments)
    entry_of: dict[str, str] = {}
    for person in result.people:
        name = name_of(person.track, result.names)
        tiers = name, f"{name} {CONFIDENCE}"
        document.add_tier(tiers[0], EXPRESSION, part=name, ann=ANNOTATOR)
        document.add_tier(tiers[1], CONFIDENCE, parent=tiers[0], part=name, ann=ANNOTATOR)
        for segment in of_person[person.track]:
            start_ms, end_ms = result.film_ms(segment.start_s), result.film_ms(segment.end_s)
            document.add_annotation(tiers[0], start_ms, max(end_ms, start_ms + 1), segment.emotion)
            annotation = next(reversed(document.tiers[tiers[0]][0]))
            entry_of[annotation] = _entry_id(segment.emotion)
            # By id: ``add_ref_annotation`` looks for it among all by time.
            confidence = document.generate_annotation_id()
            values = annotation, f"{segment.confidence:.4f}", None, None
            document.tiers[tiers[1]][1][confidence] = values
    document.properties[:] = [("lastUsedAnnotationId", document.maxaid)]
    tree = Elan.to_adocument(document)
    for annotation in tree.iter("ALIGNABLE_ANNOTATION"):
        annotation.set("CVE_REF", entry_of[annotation.get("ANNOTATION_ID", "")])
    ElementTree.ElementTree(tree).write(path, encoding="UTF-8", xml_declaration=True)


def _add_types(document: Eaf) -> None:
    """The vocabulary, and the two types of tiers."""
    language, *_ = LANGUAGE
    document.add_language(*LANGUAGE)
    document.add_controlled_vocabulary(EXPRESSION)
    document.add_cv_description(EXPRESSION, language, "What a face looks like to most people.")
    for label, meaning in MEANINGS.items():
        document.add_cv_entry(EXPRESSION, _entry_id(label), [(label, language, meaning)])
    document.add_linguistic_type(EXPRESSION)
    document.linguistic_types[EXPRESSION]["CONTROLLED_VOCABULARY_REF"] = EXPRESSION
    document.add_linguistic_type(CONFIDENCE, "Symbolic_Association", timealignable=False)


def _entry_id(label: str) -> str:
    return f"cveid_{label}"


def _media(result: VideoResult) -> Iterator[Path]:
    """The annotated film, then the video itself, where they are files: a stream is in pieces.

    The video itself would show faces that were made unrecognisable.
    """
    film, video = result.film, result.source
    if film.is_file():
        yield film
    if video.is_file() and not result.blurred and not (film.is_file() and film.samefile(video)):
        yield video


def _url(path: PurePath) -> str:
    """Of a file, by its absolute path; that of a share of Windows begins with two slashes."""
    name = printable(path.as_posix())
    return f"file:{name}" if name.startswith("//") else f"file:///{name.lstrip('/')}"


def _relative_path(path: Path, folder: Path) -> str | None:
    """Of a file from a folder; None for one on another drive of Windows."""
    try:
        name = printable(Path(os.path.relpath(path, folder)).as_posix())
    except ValueError:
        return None
    return name if name.startswith("../") else f"./{name}"
