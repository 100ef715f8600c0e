"""The options of each command, and what it does with them.

They are put together in ``cli``, so that each imports what it does only once it does it.
"""
