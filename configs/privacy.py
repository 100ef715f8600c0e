"""Switch off what libraries report about their use.

They read these variables when they are imported, so ``stages`` and ``pipeline`` import this file
before anything else. A variable that is set already is left as it is.
"""

from __future__ import annotations

import os

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime: sends events, and keeps a device id in HOME.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
}

for name, value in SWITCHES.items():
    os.environ.setdefault(name, value)
