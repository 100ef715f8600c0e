"""Cards of networks: what they say is understood, and what is wrong is answered with a remedy."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from configs.errors import ModelError
from models import card
from models.card import Card, columns_of, read_card
from models.crops import OWN
from models.network import Network
from tests.models.made import card_of, make_network, write_card

SCHEMA = Path(card.__file__).with_name("card.schema.json")

VALUE = {"names": ["one", "two", "three"], "kind": "value", "range": [-9, 9]}
RGB = {"size": 112, "colour": "rgb", "layout": "NCHW", "range": [0, 1]}


def wrong(changes: dict[str, Any], folder: Path) -> str:
    """What is said of a card with these changes; None takes a key out."""
    values = {key: value for key, value in card_of(**changes).items() if value is not None}
    write_card(folder / "own.onnx", values)
    with pytest.raises(ModelError) as caught:
        read_card(folder / "own.onnx")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{folder / 'own.json'}: ")
    return message


def test_schema_is_that_of_cards() -> None:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    named = {"$schema": schema["$schema"], **Card.model_json_schema()}
    assert schema == named, "write Card.model_json_schema() into models/card.schema.json"
    assert not list(Draft202012Validator(schema).iter_errors(card_of()))
    assert list(Draft202012Validator(schema).iter_errors(card_of(crop={"align": "dlib"})))
    for part in (schema, *schema["$defs"].values()):
        for key, meaning in part["properties"].items():
            assert meaning.get("description") or "$ref" in meaning or key in PLAIN, key


PLAIN = {"outputs", "licence"}


def test_the_card_of_the_documentation_is_right(tmp_path: Path) -> None:
    page = (Path(card.__file__).parents[1] / "docs" / "networks.md").read_text()
    text = page.split("```json\n")[1].split("```")[0]
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(json.loads(text))
    path = tmp_path / "enet_b0_8_va_mtl.onnx"
    make_network(path, json.loads(text), channels=3, size=224, outputs=10, block=32)
    names = [column.name for column in Network(path).columns]
    assert (len(names), names[0], names[-1]) == (10, "hse_anger", "hse_arousal")
    beyond = [column.name for column in Network(path, expressions=True).columns]
    assert beyond == ["hse_contempt", "hse_valence", "hse_arousal"]
    keys = {key for part in json.loads(SCHEMA.read_text())["$defs"].values()
            for key in part["properties"]}  # fmt: skip
    assert all(f"{key}`" in page for key in keys)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"outputs": None}, ["outputs: missing"]),
        ({"licence": None}, ["licence: missing"]),
        ({"source": ""}, ["source", "at least 1 character"]),
        ({"license": "MIT"}, ["license: unknown", "did you mean 'licence'"]),
        ({"input": {**RGB, "color": "rgb"}}, ["input.color: unknown", "did you mean 'colour'"]),
        ({"input": {**RGB, "colour": "RGB"}}, ["input.colour", '"RGB" is wrong', "'rgb'"]),
        ({"input": {**RGB, "size": "112"}}, ["input.size", "valid integer"]),
        ({"input": {**RGB, "size": 1e99}}, ["input.size"]),
        ({"input": {**RGB, "range": [1, 0]}}, ["input", "range must be"]),
        ({"input": {**RGB, "mean": [0.5, 0.5]}}, ["input", "mean has 2 values, rgb has 3"]),
        ({"input": {**RGB, "std": [0]}}, ["input", "std must be above 0"]),
        ({"input": {**RGB, "colour": "grey", "mean": [1, 2, 3]}}, ["mean has 3 values"]),
        ({"crop": {}}, ["crop", "one of align, landmarks and margin"]),
        ({"crop": {"align": "fer2013", "margin": 0.1}}, ["crop", "one of align"]),
        ({"crop": {"landmarks": [[1, 2]]}}, ["crop.landmarks", "at least 5"]),
        ({"crop": {"align": "arcface"}}, ["sizes of 112", "size is 16", "landmarks"]),
        ({"outputs": [{**VALUE, "range": None}]}, ["outputs.0", "needs its range"]),
        ({"outputs": [{**VALUE, "kind": "softmax"}]}, ["outputs.0", "say with logits"]),
        ({"outputs": [{**VALUE, "kind": "sigmoid", "logits": True}]}, ["range and unit are for"]),
        ({"outputs": [{**VALUE, "temperature": 2}]}, ["logits and temperature are for"]),
        ({"outputs": [{**VALUE, "names": ["a b", "c", "d"]}]}, ["outputs.0.names.0", '"a b"']),
        ({"outputs": [{**VALUE, "names": ["one", "one"]}]}, ["two are called one"]),
        ({"outputs": [{**VALUE, "names": [None]}]}, ["none has a name"]),
        ({"outputs": []}, ["outputs", "at least 1"]),
        ({"emotions": {"on": "happy"}}, ["no output is called on", "did you mean 'one'"]),
        ({"emotions": {"one": "joy"}}, ["emotions.one", '"joy" is wrong']),
        ({"prefix": "1st"}, ["begins with a letter"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_key(
    tmp_path: Path, changes: dict[str, Any], parts: list[str]
) -> None:
    message = wrong(changes, tmp_path)
    assert all(part in message for part in parts), message


def test_a_missing_card_and_one_that_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"own\.json: missing; .*docs/networks\.md"):
        read_card(tmp_path / "own.onnx")
    (tmp_path / "own.json").write_text("{'size': 1}")
    with pytest.raises(ModelError, match=r"own\.json: not JSON"):
        read_card(tmp_path / "own.onnx")
    (tmp_path / "own.json").write_text("[1]")
    with pytest.raises(ModelError, match=r"own\.json: "):
        read_card(tmp_path / "own.onnx")


def test_columns_have_the_prefix_of_the_file_unless_the_card_has_one() -> None:
    outputs = [
        {"names": ["au12", None], "kind": "sigmoid", "logits": True},
        {"names": ["gaze"], "kind": "value", "range": [-90, 90], "unit": "deg"},
        {"names": ["arousal"], "kind": "value", "range": [-1, 1]},
    ]
    of_file = columns_of(Card.model_validate(card_of(outputs=outputs)), Path("aff-wild.v2.onnx"))
    assert [column.name for column in of_file] == [
        "aff_wild_v2_au12", "aff_wild_v2_gaze", "aff_wild_v2_arousal",
    ]  # fmt: skip
    assert [(column.low, column.high, column.unit) for column in of_file] == [
        (0, 1, "probability, 0 to 1"), (-90, 90, "deg"), (-1, 1, "-1 to 1"),
    ]  # fmt: skip
    plain = columns_of(Card.model_validate(card_of(outputs=outputs, prefix="")), Path("x.onnx"))
    assert [column.name for column in plain] == ["au12", "gaze", "arousal"]


@pytest.mark.parametrize("name", ["2nd.onnx", "raw_.onnx", "baseline.onnx"])
def test_a_name_that_does_not_do_for_a_column_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="prefix: the column of one would be called"):
        columns_of(Card.model_validate(card_of()), Path(name))


def test_a_grey_card_of_48_pixels_shares_the_faces_of_the_shipped_network() -> None:
    taken = {"size": 48, "colour": "grey", "layout": "NHWC", "range": [0, 255]}
    assert Card.model_validate(card_of(input=taken)).face == OWN
