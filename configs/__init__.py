"""Settings, their files, cameras, the cache, and every error; and what holds in every process.

Imports nothing else of the project.
"""

from __future__ import annotations

import os

VERSION = "0.1.0"
"""The program's, kept with every result."""

ENVIRONMENT = {
    # No library reports its use; ONNX Runtime would also keep a device id in HOME.
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    # No warning about devices that actors without a claim on them do not see.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
}
"""What libraries read when they are imported: all our packages import this one before any other."""

for name, value in ENVIRONMENT.items():
    os.environ.setdefault(name, value)
