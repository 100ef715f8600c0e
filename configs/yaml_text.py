"""Read YAML: safely, with the whole numbers of YAML 1.2, and without repeating it in messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from configs.addresses import HIDDEN
from configs.errors import ConfigError

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
