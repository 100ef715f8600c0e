"""What comes of a video: recording it, reading its table back, exports, report, summary, index.

Imports ``sources``, ``stages``, ``models`` and ``configs``.
"""
