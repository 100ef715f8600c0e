"""Cameras and network streams: their names, addresses and own settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from configs.errors import ConfigError
from configs.load import with_changes
from configs.schema import Section, Settings

URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
PASSWORD = re.compile(r"(?<=://)([^/@\s]*):[^/@\s]*@")
SECRET_PARAMETER = re.compile(r"([?&][^=&]*(?:pass|pwd|token|key|secret|auth)[^=&]*=)[^&]*", re.I)
HIDDEN = "***"

EMPTY_IS_NONE = BeforeValidator(lambda section: {} if section is None else section)
"""A section whose lines are all comments."""

OWN_SECTIONS = ("detect", "track", "video", "live")
"""Sections of settings that a camera may have for itself."""


class Camera(Section):
    """A named camera or network stream.

    Attributes:
        name: used in results, messages and on the page.
        address: a URL, the number of a camera, or a device such as ``/dev/video0``.
        settings: those that differ for this camera, by section.
    """

    name: Annotated[str, Field(pattern=r"^[\w][\w .-]*$", max_length=80)]
    address: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
    settings: Annotated[dict[str, Annotated[dict[str, Any], EMPTY_IS_NONE]], EMPTY_IS_NONE] = Field(
        default_factory=dict
    )


def load_cameras(path: Path, defaults: Settings) -> list[tuple[Camera, Settings]]:
    """The cameras of a YAML list, each with its complete settings.

    Raises:
        ConfigError: naming the file, the camera and what is wrong.
    """
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
        cameras = TypeAdapter(list[Camera]).validate_python(listed)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        # What was given there is left out: it may be an address with a password.
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{path}: {place or 'the file'}: {first['msg']}; expected a list of cameras, each with "
            "name, address and, where they differ, settings"
        ) from None
    names = [camera.name for camera in cameras]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: two cameras are called {name}; give each its own name")
    return [(camera, _settings_of(camera, path, defaults)) for camera in cameras]


def _settings_of(camera: Camera, path: Path, defaults: Settings) -> Settings:
    for section in camera.settings:
        if section not in OWN_SECTIONS:
            raise ConfigError(
                f"{path}: {camera.name}: {section}: a camera's own settings are those of "
                f"{', '.join(OWN_SECTIONS)}; give others with --config"
            )
    return with_changes(defaults, camera.settings, f"{path}: {camera.name}")


def is_live(source: str) -> bool:
    """Whether a source is a camera or a network stream, by its text, or as a device."""
    try:
        is_device = Path(source).is_char_device()
    except (OSError, ValueError):  # Such as a name that is too long.
        is_device = False
    return source.isdigit() or URL.match(source) is not None or is_device


def camera_of(address: str) -> Camera:
    """A camera named after its address, without user, password and query."""
    if address.isdigit():
        return Camera(name=f"camera-{address}", address=address)
    place = re.sub(r"^[a-z0-9+.-]*://([^/@]*@)?", "", address, flags=re.IGNORECASE)
    place = place.partition("?")[0]
    return Camera(
        name=re.sub(r"[^\w.-]+", "-", place).strip("-.")[:80] or "stream", address=address
    )


def without_secrets(address: str) -> str:
    """An address without its password and the keys in its query."""
    shown = PASSWORD.sub(rf"\1:{HIDDEN}@", address)
    return SECRET_PARAMETER.sub(rf"\1{HIDDEN}", shown)
