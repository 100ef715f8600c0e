"""Benchmarks: pipelines against a baseline and an upper bound, their parts, live streams.

Imports ``live``, ``run`` and what those may import.
"""
