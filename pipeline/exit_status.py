"""Exit statuses of the commands."""

from __future__ import annotations

DONE, SOME_FAILED, WRONG_COMMAND, INTERRUPTED = 0, 1, 2, 130
