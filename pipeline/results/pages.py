"""Make pages of the templates, scripts and styles in ``web``: each page is one file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from models.card import OutputColumn
from pipeline.results.segments import COLOURS
from pipeline.results.time_text import clock


def render(template: str, **values: Any) -> str:
    """A page; values are escaped wherever the template puts them."""
    return _templates().get_template(template).render(values)


@cache
def asset(name: str) -> str:
    """A file of ``web``, as text; the same for as long as the program runs."""
    return (resources.files("pipeline.results") / "web" / name).read_text(encoding="utf-8")


def script_of(names: Sequence[str]) -> Markup:
    """The script of a page: these files of ``web``, one after the other."""
    return Markup("\n".join(map(asset, names)))


def for_pages(outputs: Sequence[OutputColumn]) -> list[dict[str, Any]]:
    """What ``web/lines.js`` needs of each output of a network."""
    return [
        {"name": column.name, "low": column.low, "high": column.high, "unit": column.unit}
        for column in outputs
    ]


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    templates.globals.update(
        asset=lambda name: Markup(asset(name)), script_of=script_of, colours=COLOURS
    )
    templates.filters.update(clock=clock, percent="{:.0%}".format)
    return templates
