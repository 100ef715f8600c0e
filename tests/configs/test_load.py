"""Settings are loaded as the user wrote them, or one clear line says what is wrong."""

from pathlib import Path

import pytest
import yaml

from configs.errors import ConfigError
from configs.load import PRESETS_FOLDER, load_settings, presets
from configs.schema import Settings


def test_default_preset_documents_every_setting_with_its_default() -> None:
    written = yaml.safe_load((PRESETS_FOLDER / "default.yaml").read_text())
    assert written == Settings().model_dump(mode="json")


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_valid(name: str) -> None:
    load_settings(name)


def test_flags_win_over_assignments_which_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("detect: {width_px: 320, threshold: 0.5}\nvideo: {crf: 30}\n")
    settings = load_settings(
        str(file),
        ["detect.width_px=960", "video.crf=20"],
        {"video.crf": 18, "executor.kind": None},
    )
    assert (settings.detect.width_px, settings.detect.threshold) == (960, 0.5)
    assert (settings.video.crf, settings.executor.kind) == (18, "ray")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("detect: {widht_px: 320}", ["mine.yaml", "detect.widht_px", "width_px", "threshold"]),
        ("detct: {}", ["mine.yaml", "detct", "did you mean 'detect'"]),
        ("video: {preset: veryfst}", ["video.preset", "'veryfst'", "did you mean 'veryfast'"]),
        ("detect: {threshold: 2}", ["detect.threshold", "2", "less than or equal to 1"]),
        ("detect: 3", ["mine.yaml", "detect"]),
        ("- a list", ["mine.yaml", "sections"]),
        ("a: [", ["mine.yaml", "not valid YAML"]),
        ("!!python/object/apply:os.system ['true']", ["mine.yaml", "not valid YAML"]),
    ],
)
def test_wrong_files_are_explained(tmp_path: Path, text: str, parts: list[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(str(file))
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    "assignment", ["detect.width_px=abc", "detect.width_px", "width_px=3", "detect.x=1", "a.b=["]
)
def test_wrong_assignments_are_explained(assignment: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        load_settings(assignments=[assignment])


@pytest.mark.parametrize(
    "assignment",
    [
        "page.token=hüsh", "page.token=[hush", "page.token=' hush'", "page.token={a: hush}",
        "page.tokn=hush", "token=hush", "page.token:hush", "page.token=1.5", "pagetoken=hush",
    ],
)  # fmt: skip
def test_a_token_is_in_no_message(assignment: str) -> None:
    with pytest.raises(ConfigError, match="--set") as caught:
        load_settings(assignments=[assignment])
    assert "hush" not in str(caught.value)
    assert "hüsh" not in str(caught.value)


def test_a_token_is_taken_as_it_is_written_and_not_shown() -> None:
    for token in ("12345", "007", "a&b#c %+\\;,~", "'quoted'"):
        settings = load_settings(assignments=[f'page.token="{token}"'.replace("\\", "\\\\")])
        assert settings.page.token == token
        assert token not in repr(settings)
    assert load_settings(assignments=["page.token=12345"]).page.token == "12345"


FLOATS = [
    f"{section}.{name}"
    for section, values in Settings().model_dump().items()
    for name, value in values.items()
    if isinstance(value, float) or name.endswith("_s")
]


@pytest.mark.parametrize("key", [*FLOATS, "read.rate"])
def test_what_is_not_a_finite_number_is_refused(key: str) -> None:
    for value in (float("inf"), float("nan"), float("-inf"), 1e300, ".inf", "inf", "nan"):
        with pytest.raises(ConfigError, match=key):
            load_settings(flags={key: value})
    for text in (".inf", ".nan", "inf", "nan", "-.inf", "1e300", "1:30"):
        with pytest.raises(ConfigError, match=key):
            load_settings(assignments=[f"{key}={text}"])


def test_a_number_with_zeros_before_it_is_not_octal() -> None:
    assert load_settings(assignments=["detect.width_px=0640"]).detect.width_px == 640


def test_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'fast'"):
        load_settings("fats")


def test_a_section_without_settings_is_empty(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("detect:\n  # width_px: 960\nvideo:\n  crf: 30\n")
    assert load_settings(str(config)).video.crf == 30
