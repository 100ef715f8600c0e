"""The columns of networks beyond the seven expressions, by what a summary says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.card import OutputColumn, columns_in


def outputs_of(provenance: Mapping[str, Any]) -> list[OutputColumn]:
    """The columns of all networks, in the order of the table.

    Args:
        provenance: as in ``summary.json``; that of an early version says nothing of them.
    """
    networks = [provenance.get("model") or {}, *(provenance.get("networks") or ())]
    return [column for facts in networks for column in columns_in(facts)]
