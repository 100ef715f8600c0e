"""Names of files as text: a file system takes any bytes for a name, also none that are UTF-8.

And names that a user may have meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

UNDECODED = {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}
"""Python's stand-ins for bytes that are not UTF-8 (PEP 383), which no text file can hold."""

CONTROLS = {
    code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}


def as_text(name: object) -> str:
    r"""A path, or a message with one, that every file can hold: ``caf\xe9.mp4``."""
    return str(name).translate(UNDECODED)


def printable(line: object) -> str:
    r"""The same for one line on a terminal: a line feed in a name is shown as ``\n``."""
    return as_text(line).translate(CONTROLS)


def nearest(name: str, known: Iterable[str]) -> str:
    """``, did you mean 'x'?`` where one of the known names is like this one; else nothing."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean '{matches[0]}'?" if matches else ""
