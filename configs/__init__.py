"""Settings, their files, cameras, the cache, and every error; and what holds in every process.

Imports nothing else of the project.
"""

from __future__ import annotations

import os

VERSION = "0.1.0"
"""The program's, kept with every result."""

PRIVACY = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime: sends events, and keeps a device id in HOME.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
}
"""Switches off what libraries report about their use. They read these variables when they are
imported, so every package of the project imports this one first."""

for name, value in PRIVACY.items():
    os.environ.setdefault(name, value)
