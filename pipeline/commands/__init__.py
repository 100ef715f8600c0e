"""The options of each command, and what it does with them.

They are put together in ``cli``.
"""
