"""Cards: ``NAME.json`` beside a network says what it takes and what it gives.

``card.schema.json`` is the JSON Schema of a card; docs/networks.md explains it with examples.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from configs.errors import ModelError
from configs.load import what_is_wrong
from configs.names import nearest
from configs.schema import Section
from models.crops import ARCFACE_SIZE_PX, Crop, Points, arcface_landmarks, fer_landmarks
from models.emotions import EMOTIONS, FACE_SIZE_PX

NAME = r"[A-Za-z][A-Za-z0-9_]*"
RESERVED = ("raw_", "baseline_")
"""Beginnings of names that the program's own columns have."""

MOST_SHOWN = 80
"""Of what was given, in messages."""


def _usable_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise ValueError("a name has letters, digits and _ only, and begins with a letter")
    return name


Name = Annotated[str, AfterValidator(_usable_name)]
Point = Annotated[list[float], Field(min_length=2, max_length=2)]
Temperature = Annotated[float, Field(gt=0)]
Side = Annotated[str, Field(pattern=r"^[1-9][0-9]*$")]
Channels = Annotated[list[float], Field(min_length=1, max_length=3)]


class Part(Section):
    """A part of a card."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        strict=True,
        use_attribute_docstrings=True,
    )


class InputPart(Part):
    """What the network takes: square faces."""

    size: Annotated[int, Field(ge=8, le=1024)]
    """Side of the face, in pixels."""
    colour: Literal["grey", "rgb", "bgr"]
    """Its channels, in order."""
    layout: Literal["NHWC", "NCHW"]
    """Order of dimensions: N faces, C channels, H rows, W columns."""
    range: Annotated[list[float], Field(min_length=2, max_length=2)]
    """What black and white become, such as [0, 1]: the least and the largest value."""
    mean: Channels = Field(default=[0.0])
    """Is taken away then: of each channel in their order, or one for all."""
    std: Channels = Field(default=[1.0])
    """What is left is divided by this, likewise."""

    @property
    def channels(self) -> int:
        return 1 if self.colour == "grey" else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one face."""
        sides = self.size, self.size
        return (*sides, self.channels) if self.layout == "NHWC" else (self.channels, *sides)

    @model_validator(mode="after")
    def _agrees(self) -> InputPart:
        for name in ("mean", "std"):
            given = len(getattr(self, name))
            if given not in (1, self.channels):
                raise ValueError(
                    f"{name} has {given} values, {self.colour} has {self.channels}; give one for "
                    "each channel, or one for all"
                )
        if self.range[0] >= self.range[1]:
            raise ValueError("range must be [least, largest], such as [0, 1]")
        if min(self.std) <= 0:
            raise ValueError("std must be above 0")
        return self


class CropPart(Part):
    """How faces are cut out of the picture: one of three."""

    align: Literal["fer2013", "arcface"] | None = None
    """As the shipped network has them, or by the template of ArcFace."""
    landmarks: Annotated[list[Point], Field(min_length=5, max_length=5)] | None = None
    """Where eyes, nose and corners of the mouth are to be, as x and y in pixels of the face from
    the centre of its first one; of a pair, the one further left in the picture first."""
    margin: Annotated[float, Field(ge=-0.4, le=4)] | None = None
    """The square around the face's box, with this share of its longer side added on each side; not
    turned upright."""

    @model_validator(mode="after")
    def _is_one(self) -> CropPart:
        if sum(value is not None for value in (self.align, self.landmarks, self.margin)) != 1:
            raise ValueError("give one of align, landmarks and margin")
        return self


class OutputPart(Part):
    """Some values that the network gives, one after the other."""

    names: Annotated[list[Name | None], Field(min_length=1)]
    """Of the values, in their order; null for one that is not wanted."""
    kind: Literal["softmax", "sigmoid", "value"]
    """Probabilities that sum to 1; probabilities each by itself; or values."""
    logits: bool | None = None
    """Of probabilities: whether softmax or sigmoid is still to be applied."""
    temperature: Temperature = 1.0
    """Of probabilities: logits are divided by it; above 1 lowers confidence."""
    temperature_by_side: Annotated[dict[Side, Temperature], Field(min_length=1)] | None = None
    """In its place, one for each of several sides of faces in pixels, before they were scaled, such
    as {"16": 1.5, "48": 1}."""
    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    """Of values: the least and the largest; what is beyond is set to these."""
    unit: str | None = None
    """Of values, such as deg."""
    tensor: str | None = None
    """Name of the network's output that they are in, if it has several."""

    @model_validator(mode="after")
    def _agrees(self) -> OutputPart:
        if self.kind == "value":
            if self.range is None or self.range[0] >= self.range[1]:
                raise ValueError("a value needs its range, such as [-1, 1]")
            if self.logits is not None or self.changes_confidence:
                raise ValueError("logits and temperature are for probabilities; take them out")
        else:
            if self.logits is None:
                raise ValueError(
                    f"say with logits whether {self.kind} is still to be applied: true, or false "
                    "if the network does so itself"
                )
            if self.range is not None or self.unit is not None:
                raise ValueError("range and unit are for values; take them out")
        return self

    @property
    def changes_confidence(self) -> bool:
        return self.temperature != 1 or self.temperature_by_side is not None

    def temperatures(self, sides_px: NDArray[np.float32]) -> NDArray[np.float64]:
        """The temperature for faces of each side, (m,): linear between those given."""
        if self.temperature_by_side is None:
            return np.full(len(sides_px), self.temperature)
        by_side = sorted((int(side), value) for side, value in self.temperature_by_side.items())
        sides, values = zip(*by_side, strict=True)
        return np.interp(sides_px, sides, values)


class Card(Part):
    """What a network takes and gives, and where it is from."""

    card_schema: str | None = Field(default=None, alias="$schema")
    """For editors."""
    input: InputPart
    crop: CropPart
    outputs: Annotated[list[OutputPart], Field(min_length=1)]
    prefix: str | None = None
    """What names of columns begin with, before a _; "" for nothing. The file's name if absent."""
    emotions: dict[str, Literal[EMOTIONS]] | None = None  # type: ignore[valid-type]
    """For --model: which of the seven expressions an output is, if it has another name."""
    licence: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    """Where the network comes from: an address, a paper."""

    @model_validator(mode="after")
    def _agrees(self) -> Card:
        names = [name for part in self.outputs for name in part.names if name]
        if not names:
            raise ValueError("outputs: none has a name; name those that are wanted")
        for name, count in Counter(names).items():
            if count > 1:
                raise ValueError(f"outputs: two are called {name}; give each its own name")
        for name in self.emotions or {}:
            if name not in names:
                raise ValueError(f"emotions: no output is called {name}{nearest(name, names)}")
        if self.prefix:
            _usable_name(self.prefix)
        self.face  # noqa: B018, for its errors
        return self

    @property
    def face(self) -> Crop:
        """What is cut out of the picture for the network."""
        size, colour = self.input.size, self.input.colour != "grey"
        if self.crop.margin is not None:
            return Crop(size, colour, margin=self.crop.margin)
        if self.crop.landmarks is not None:
            first, second, third, fourth, fifth = ((x, y) for x, y in self.crop.landmarks)
            own: Points = (first, second, third, fourth, fifth)
            return Crop(size, colour, own)
        if self.crop.align == "fer2013":
            return Crop(size, colour, fer_landmarks(size))
        if size % ARCFACE_SIZE_PX:
            raise ValueError(
                f"crop.align: arcface is for sizes of {ARCFACE_SIZE_PX} and its multiples, "
                f"input.size is {size}; give landmarks for it"
            )
        return Crop(size, colour, arcface_landmarks(size))


@dataclass(frozen=True)
class OutputColumn:
    """A column of tables that a network gives, beyond the seven expressions.

    Attributes:
        name: of the column.
        kind: as in the card.
        low, high: what it lies between.
        unit: in words.
        network: name of the network's file.
    """

    name: str
    kind: str
    low: float
    high: float
    unit: str
    network: str


def card_path(network: Path) -> Path:
    return network.with_suffix(".json")


def read_card(network: Path) -> Card:
    """The card that lies beside a network.

    Beside one of 48x48 grey faces and the seven expressions, labels alone will do: ``{"labels":
    [...], "temperature": 1.0}``, in the order of its outputs.

    Raises:
        ModelError: it is missing or wrong; with the key, and what is allowed.
    """
    path = card_path(network)
    values = read_json(path)
    if isinstance(values, dict) and "labels" in values and network.suffix.lower() != ".onnx":
        labels = values["labels"]
        if not isinstance(labels, list) or sorted(map(str, labels)) != sorted(EMOTIONS):
            raise ModelError(f"{path}: labels must be {', '.join(EMOTIONS)} in any order")
        values = card_of_labels(labels, values.get("temperature", 1.0), "not stated")
    return card_in(values, path)


def card_of_labels(
    labels: Sequence[str], temperature: float | dict[str, float], source: str
) -> dict[str, Any]:
    """The card of a network of 48x48 grey faces and the seven expressions."""
    by_side = isinstance(temperature, dict)
    return {
        "input": {"size": FACE_SIZE_PX, "colour": "grey", "layout": "NHWC", "range": [0, 255]},
        "crop": {"align": "fer2013"},
        "outputs": [
            {
                "names": labels,
                "kind": "softmax",
                "logits": False,
                "temperature_by_side" if by_side else "temperature": temperature,
            }
        ],
        "licence": source,
        "source": source,
    }


def read_json(path: Path) -> Any:
    """What a file beside a network holds.

    Raises:
        ModelError: it is missing, or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{path}: missing; a network needs its card beside it, which says what it takes and "
            "gives: see docs/networks.md"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not JSON that can be read: {error}") from error


def card_in(values: Any, path: Path) -> Card:
    """A card of what ``read_json`` returns.

    Raises:
        ModelError: it is wrong.
    """
    try:
        return Card.model_validate(values)
    except ValidationError as error:
        raise ModelError(f"{path}: {_problem(error.errors()[0])}") from None


def columns_of(
    card: Card, network: Path, without: frozenset[str] = frozenset()
) -> list[OutputColumn]:
    """The columns that a network gives, in order.

    Args:
        network: its path.
        without: names of outputs that are left out.

    Raises:
        ModelError: a name would not do for a column.
    """
    prefix = prefix_of(network) if card.prefix is None else card.prefix
    columns = []
    for part in card.outputs:
        low, high = part.range or (0.0, 1.0)
        unit = part.unit or (f"{low:g} to {high:g}" if part.range else "probability, 0 to 1")
        for name in part.names:
            if name is None or name in without:
                continue
            column = f"{prefix}_{name}" if prefix else name
            if not re.fullmatch(NAME, column) or column.startswith(RESERVED):
                raise ModelError(
                    f"{card_path(network)}: prefix: the column of {name} would be called {column}; "
                    "give a prefix that begins with a letter, and with none of "
                    f"{' and '.join(RESERVED)}"
                )
            columns.append(OutputColumn(column, part.kind, low, high, unit, network.name))
    return columns


def columns_in(facts: Mapping[str, Any]) -> list[OutputColumn]:
    """The columns in what a summary says of a network."""
    return [OutputColumn(**values, network=facts["name"]) for values in facts.get("columns", ())]


def prefix_of(network: Path) -> str:
    """What names of columns begin with where the card does not say it."""
    return re.sub(r"[^A-Za-z0-9]+", "_", network.stem)


def _problem(error: ErrorDetails) -> str:
    """The key, what is wrong with it and what to do."""
    place = [str(part) for part in error["loc"]]
    key = ".".join(place)
    if error["type"] == "extra_forbidden":
        allowed = list(_keys(error["loc"]))
        return f"{key}: unknown{nearest(place[-1], allowed)}; allowed: {', '.join(allowed)}"
    if error["type"] == "missing":
        return f"{key}: missing; a card needs it: see docs/networks.md"
    problem = what_is_wrong(error)
    given = error["input"]
    if isinstance(given, str | int | float):
        problem = f"{json.dumps(given)[:MOST_SHOWN]} is wrong: {problem}"
    return f"{key}: {problem}" if key else problem


def _keys(location: tuple[int | str, ...]) -> Iterator[str]:
    """Keys that would be valid where the unknown one stands."""
    parts: dict[str, type[Part]] = {
        "input": InputPart, "crop": CropPart, "outputs": OutputPart,
    }  # fmt: skip
    part = parts.get(str(location[0]), Card) if len(location) > 1 else Card
    for name, field in part.model_fields.items():
        yield field.alias or name
