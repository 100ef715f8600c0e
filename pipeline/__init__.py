"""How stages are wired and run; the command line and the Python interface.

Imports point one way: ``cli``, ``commands`` and ``api``, ``bench``, ``live``, ``run``, ``study``,
``results``, ``sources`` and ``places``, then ``stages``, ``models`` and ``configs``. A test holds
this. What users import is the same ``from pipeline`` as ``from emotion_timelines``.
"""

from typing import TYPE_CHECKING

from emotion_timelines import __all__, __getattr__  # noqa: F401

if TYPE_CHECKING:
    from emotion_timelines import *  # noqa: F403
