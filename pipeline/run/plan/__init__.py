"""The plan: which stages a video goes through. Executors decide where and when they run.

    reading -> finding (detect, find cuts, align, crop, track) -> classifying -> recording

A module each, as an actor runs one of them, and loads nothing else; ``pipeline.results.recorder``
records.
"""
