"""How stages are wired and run; the command line.

Imports point one way: ``cli``, ``analyse``, ``bench``, ``live``, ``run``, ``results``, ``sources``,
then ``stages``, ``models`` and ``configs``. A test holds this.
"""

import os

import configs.privacy  # noqa: F401  Before the libraries that read it.

# Ray reads these when it is imported: no warning is shown about devices that actors without a
# claim on them do not see.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
