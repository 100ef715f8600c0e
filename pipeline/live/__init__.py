"""Analyse live streams: one stream, the supervisor of several, and the page that shows them.

Imports ``run`` and what that may import.
"""
