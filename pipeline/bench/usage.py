"""What processes take of the machine."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def tree(root: psutil.Process, without: int | None = None) -> list[psutil.Process]:
    """A process and all below it, but for the one with the number ``without``."""
    try:
        below = root.children(recursive=True)
    except psutil.Error:
        return []
    return [root, *(process for process in below if process.pid != without)]


def memory_mb(processes: Iterable[psutil.Process]) -> float:
    """Their memory in 2^20 bytes; pages that they share are counted once, where that is known."""
    total = 0
    for process in processes:
        try:
            memory = process.memory_full_info()
        except psutil.Error:  # It has just ended.
            continue
        total += getattr(memory, "pss", memory.uss)
    return total / 2**20


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """CPU time that they have taken so far, in seconds."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total
