"""Measure: whole pipelines against a baseline and an upper bound, their parts, and live streams.

Imports ``live``, ``run`` and what those may import.
"""
