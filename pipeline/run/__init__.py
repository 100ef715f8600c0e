"""Run the chain over video files: its executors, and the ledger of a batch.

Imports ``results``, ``sources``, ``stages``, ``models`` and ``configs``. Only files called
``ray_*`` import Ray.
"""
