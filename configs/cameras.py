"""Cameras and network streams: their names, addresses and own settings."""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from configs.addresses import name_of, problem_of, without_secrets
from configs.errors import ConfigError, UsageError
from configs.load import read_yaml, what_is_wrong, with_changes
from configs.schema import Section, Settings

EMPTY_IS_NONE = BeforeValidator(lambda section: {} if section is None else section)
"""A section whose lines are all comments."""

OWN_SECTIONS = ("detect", "track", "video", "live")
"""Sections of settings that a camera may have for itself."""

NOT_IN_NAMES = r'/\:*?"<>|'
"""What no file system, or not each, takes in the name of a folder."""

MAX_NAME_BYTES = 240
"""File systems take 255; a number may follow."""


def _folder_name(name: str) -> str:
    """A name that can be that of a folder everywhere, in the one of its spellings that is usual."""
    name = unicodedata.normalize("NFC", name)
    kinds = {unicodedata.category(sign) for sign in name}
    if (
        set(NOT_IN_NAMES) & set(name)
        or kinds & {"Cc", "Cs", "Zl", "Zp"}
        or name != name.strip().strip(".")
        or len(name.encode(errors="replace")) > MAX_NAME_BYTES
    ):
        raise ValueError(
            f"a name has none of {' '.join(NOT_IN_NAMES)}, neither a space nor a full stop at its "
            "ends, and is not too long: it is that of a folder"
        )
    return name


class Camera(Section):
    """A named camera or network stream.

    Attributes:
        name: used in results, messages and on the page.
        address: a URL, the number of a camera, or a device such as ``/dev/video0``.
        settings: those that differ for this camera, by section.
    """

    name: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_folder_name)]
    address: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True, repr=False)]
    settings: Annotated[dict[str, Annotated[dict[str, Any], EMPTY_IS_NONE]], EMPTY_IS_NONE] = Field(
        default_factory=dict
    )


def load_cameras(path: Path, defaults: Settings) -> list[tuple[Camera, Settings]]:
    """The cameras of a YAML list, each with its complete settings.

    Raises:
        ConfigError: naming the file, the camera and what is wrong.
    """
    try:
        cameras = TypeAdapter(list[Camera]).validate_python(read_yaml(path))
    except ValidationError as error:
        # What was given there is left out: it may be an address with a password.
        first = error.errors(include_input=False)[0]
        key = ".".join(_key_shown(part) for part in first["loc"])
        raise ConfigError(
            f"{path}: {key or 'the file'}: {what_is_wrong(first)}; expected a list of cameras, "
            "each with name, address and, where they differ, settings"
        ) from None
    if not cameras:
        raise ConfigError(f"{path}: no camera in this list")
    for camera in cameras:
        if problem := problem_of(camera.address):
            raise ConfigError(f"{path}: {camera.name}: address: {problem}")
    names = [camera.name for camera in cameras]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: two cameras are called {name}; give each its own name")
    return [(camera, _settings_of(camera, path, defaults)) for camera in cameras]


def _key_shown(part: int | str) -> str:
    """A number in a list; of a key, only one of ours or nearly so: others may be part of an address
    that is not in quotes."""
    known = [*Camera.model_fields, *Settings.model_fields]
    nearly = isinstance(part, int) or get_close_matches(part, known, n=1, cutoff=0.7)
    return str(part) if nearly else "a key that is none"


def _settings_of(camera: Camera, path: Path, defaults: Settings) -> Settings:
    for section in camera.settings:
        if section not in OWN_SECTIONS:
            raise ConfigError(
                f"{path}: {camera.name}: {_key_shown(section)}: a camera's own settings are "
                f"those of {', '.join(OWN_SECTIONS)}; give others with --config"
            )
    return with_changes(defaults, camera.settings, f"{path}: {camera.name}")


def camera_of(address: str) -> Camera:
    """A camera named after its address, or what may be shown of it.

    Raises:
        UsageError: it is that of a file, or of nothing that sends live streams.
    """
    if problem := problem_of(address):
        raise UsageError(f"{without_secrets(address)}: {problem}")
    return Camera(name=name_of(address), address=address)
