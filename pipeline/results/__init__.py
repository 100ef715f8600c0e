"""The results of a video: recording, its table read back, segments, summary, exports, reports.

Imports ``sources``, ``stages``, ``models`` and ``configs``.
"""
