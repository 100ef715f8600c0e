"""Load settings from a YAML file or preset, from ``--set`` and from dictionaries.

YAML is read safely, with the whole numbers of YAML 1.2, and without repeating it in messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from configs.addresses import HIDDEN
from configs.errors import ConfigError
from configs.names import nearest
from configs.schema import Settings

PRESETS_FOLDER = Path(__file__).parent
"""Also holds ``cluster.yaml``, which is for Ray's launcher."""

INTEGER = "tag:yaml.org,2002:int"

HARMLESS = re.compile(r"""([^'"]|'<[a-z ]+>'|'[^\w'"]'|'\\t')*""")
"""Of what PyYAML says: up to what it quotes of the text, but for single signs."""


class _Loader(yaml.SafeLoader):
    """In YAML 1.1, 010 is 8, 1:30 is 90 and 1_0 is 10; here they are text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != INTEGER]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(INTEGER, re.compile(r"-?(0|[1-9][0-9]*)$"), list("-0123456789"))


def presets() -> list[str]:
    """Names that ``--config`` accepts besides files."""
    return sorted(path.stem for path in PRESETS_FOLDER.glob("*.yaml") if path.stem != "cluster")


def load_settings(
    config: str | None = None,
    assignments: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Defaults, overridden by a file or preset, then by assignments, then by flags.

    Args:
        config: path of a YAML file, of a result's ``summary.json``, or the name of a preset.
        assignments: ``section.key=value`` each, the value as YAML.
        flags: values by ``section.key``; those that are None are left out.

    Raises:
        ConfigError: naming the file, the key, what is allowed and the nearest valid name.
    """
    values: dict[str, Any] = {}
    if config is not None:
        path = _config_path(config)
        values = _read_yaml(path)
        _validated(values, origin=str(path))
    for assignment in assignments:
        key, value = _parsed(assignment)
        values = _with(values, key, value)
        _validated(values, origin=f"--set {_assignment_shown(assignment)}")
    for key, value in (flags or {}).items():
        if value is not None:
            values = _with(values, key, value)
    return _validated(values, origin="command line")


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Settings from a dictionary, the defaults changed by it.

    Args:
        values: by section, or by ``section.key``; the ``settings`` of a ``summary.json`` as well.

    Raises:
        ConfigError: as ``load_settings``.

    Example:
        settings_from({"detect.width_px": 960, "video": {"enabled": False}})
    """
    sections = {key: value for key, value in values.items() if "." not in key}
    for key, value in values.items():
        if "." in key:
            sections = _with(sections, key, value)
    return _validated(sections, origin="settings")


def with_changes(
    settings: Settings, changes: Mapping[str, Mapping[str, Any]], origin: str
) -> Settings:
    """Settings with some of them changed, by section.

    Args:
        origin: where they come from, for messages.

    Raises:
        ConfigError: as ``load_settings``.
    """
    values = settings.model_dump()
    for section, changed in changes.items():
        values[section] = {**values.get(section, {}), **changed}
    return _validated(values, origin)


def _parsed(assignment: str) -> tuple[str, Any]:
    key, separator, text = assignment.partition("=")
    origin = f"--set {_assignment_shown(assignment)}"
    if not separator or key.count(".") != 1:
        raise ConfigError(f"{origin}: expected section.key=value, such as detect.width_px=960")
    return key, parse_yaml(text, origin)


def _assignment_shown(assignment: str) -> str:
    """An assignment, its value only where the key is one of ours, and not that of a secret."""
    key, separator, _ = assignment.partition("=")
    section, _, name = key.partition(".")
    known = name in Settings().model_dump().get(section, {})
    if known and _is_public(section, name):
        return assignment
    return f"{key}={HIDDEN}" if separator else HIDDEN


def _is_public(*key: int | str) -> bool:
    """Whether a setting, or a section, may be shown with its value: none with the page's token."""
    return key[0] != "page" or key[1:] in (("host",), ("port",))


def _with(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    section, _, name = key.partition(".")
    return {**values, section: {**(values.get(section) or {}), name: value}}


def _config_path(config: str) -> Path:
    path = Path(config)
    if path.exists():
        return path
    preset = PRESETS_FOLDER / f"{config}.yaml"
    if config in presets():
        return preset
    raise ConfigError(
        f"{config}: no such file, nor a preset{nearest(config, presets())}; "
        f"presets: {', '.join(presets())}"
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    values = read_yaml(path)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected sections with settings, such as 'detect:'")
    if {"source", "status", "settings"} <= values.keys():  # The summary.json of a result.
        values = values["settings"] or {}
    # A section whose lines are all comments is empty, not wrong.
    return {name: {} if section is None else section for name, section in values.items()}


def _validated(values: dict[str, Any], origin: str) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        given = first["input"] if first["loc"] and _is_public(*first["loc"]) else HIDDEN
        if first["type"] == "extra_forbidden":
            allowed = list(_keys(first["loc"]))
            problem = (
                f"unknown{nearest(str(first['loc'][-1]), allowed)}; allowed: {', '.join(allowed)}"
            )
        elif first["type"] == "model_type":
            problem = f"{given!r} is wrong: expected settings below it, such as 'key: value'"
        else:
            problem = f"{given!r} is wrong: {what_is_wrong(first)}"
            if isinstance(given, str) and "expected" in first.get("ctx", {}):
                choices = (
                    first["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
                )
                problem += nearest(given, choices)
        raise ConfigError(f"{origin}: {key}: {problem}") from None


def what_is_wrong(error: ErrorDetails) -> str:
    """What pydantic says is wrong."""
    message = error["msg"].removeprefix("Value error, ")
    return message[0].lower() + message[1:]


def _keys(location: tuple[int | str, ...]) -> Iterator[str]:
    """Names that would be valid where the unknown one stands."""
    section: type[BaseModel] = Settings
    for part in location[:-1]:
        section = section.model_fields[str(part)].annotation  # type: ignore[assignment]
    yield from section.model_fields


def parse_yaml(text: str, origin: str) -> Any:
    """The value of a text in YAML.

    Args:
        origin: where the text comes from, for messages.

    Raises:
        ConfigError: it is not YAML. The message has the line, and nothing of the text, which may
            hold a password.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin}: {_problem(error)}") from None
    except (ValueError, AttributeError, RecursionError):  # Such as the date 2024-99-99.
        raise ConfigError(f"{origin}: not valid YAML: a value that cannot be") from None


def read_yaml(path: Path) -> Any:
    """The value of a file in YAML.

    Raises:
        ConfigError: it cannot be read, or is not YAML; as ``parse_yaml``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: cannot be read: it is not UTF-8, from byte {error.start}"
        ) from None
    return parse_yaml(text, str(path))


def _problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark and error.problem:
        said = HARMLESS.match(error.problem)[0]  # type: ignore[index]
        hidden = HIDDEN if said != error.problem else ""
        return f"line {error.problem_mark.line + 1}: not valid YAML: {said}{hidden}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"not valid YAML: the character U+{error.character:04X} is not allowed"
    return "not valid YAML"
