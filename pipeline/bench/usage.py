"""Memory and CPU time of processes."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def tree(root: psutil.Process, without: int | None = None) -> list[psutil.Process]:
    """A process and its descendants, except for the process id ``without``."""
    try:
        below = root.children(recursive=True)
    except psutil.Error:
        return []
    return [root, *(process for process in below if process.pid != without)]


def memory_mb(processes: Iterable[psutil.Process]) -> float:
    """Memory in 2^20 bytes; shared pages count once, where the system can tell."""
    total = 0
    for process in processes:
        try:
            memory = process.memory_full_info()
        except psutil.Error:  # It has just ended.
            continue
        total += getattr(memory, "pss", memory.uss)
    return total / 2**20


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """CPU time so far, in seconds."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total
