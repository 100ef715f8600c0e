"""YAML is read safely, and what a text holds is in no message."""

import pytest

from configs.errors import ConfigError
from configs.load import parse_yaml


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: [rtsp://me:hush@x", "line 2: not valid YAML: expected ',' or ']', but got"),
        ("a: *hush", "line 1: not valid YAML: found undefined alias ***"),
        ("a: !hush x", "line 1: not valid YAML: could not determine a constructor for the tag ***"),
        ('a: "\\hush"', "line 1: not valid YAML: found unknown escape character ***"),
        ("a: @hush", "line 1: not valid YAML: found character '@' that cannot start any token"),
        ("a:\n\tb: hush", r"line 2: not valid YAML: found character '\t' that cannot start"),
        ("!!int hush", "not valid YAML: a value that cannot be"),
        ("a: 2024-99-99", "not valid YAML: a value that cannot be"),
        ("hush: \x00", "not valid YAML: the character U+0000 is not allowed"),
        ("[" * 1500, "not valid YAML: a value that cannot be"),
    ],
)
def test_wrong_yaml_is_told_by_line_and_problem_alone(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "cameras.yaml")
    assert str(caught.value).startswith(f"cameras.yaml: {problem}")
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_numbers_are_those_that_people_mean() -> None:
    written = ["010", "0x10", "1:30", "1_0", "10", "-3", "0", "1.5"]
    assert parse_yaml(f"[{', '.join(written)}]", "here") == [*written[:4], 10, -3, 0, 1.5]
