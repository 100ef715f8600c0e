"""Tables over all results of an output folder, and what a user tells of its videos and people.

Imports ``results``, ``stages``, ``models`` and ``configs``.
"""
