"""What a run takes of its machine: its share of the CPUs, and memory, which it gives back."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path

from configs.schema import Settings

CGROUP = Path("/sys/fs/cgroup")


def usable_cpus() -> int:
    """CPUs that this process may use: those of the machine, or as many as it is limited to.

    By ``taskset``, batch systems and containers, that is by affinity or a quota of its cgroup.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, int(min(cpus or 1, _quota())))


def _quota() -> float:
    """The quota of CPU time of Linux's cgroups, version 2 or 1, in CPUs; infinite without one."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = " ".join((CGROUP / name).read_text() for name in files).split()
            quota, period = map(int, words)
        except (OSError, ValueError):  # There is none: ``max`` for a number.
            continue
        if quota > 0:
            return quota / period
    return float("inf")


def with_threads(settings: Settings, cpus: int) -> Settings:
    """The settings with threads that are 0 chosen for one video on so many CPUs.

    Encoding takes most of the time, decoding and the network about a quarter each.
    """
    chosen = {
        "read": max(1, cpus // 4), "classify": max(1, cpus // 4), "video": max(2, cpus),
    }  # fmt: skip
    sections = {
        name: getattr(settings, name).model_copy(update={"threads": threads})
        for name, threads in chosen.items()
        if not getattr(settings, name).threads
    }
    return settings.model_copy(update=sections)


def give_memory_back() -> None:
    """Between videos, and after a live stream was interrupted: threads end, and others begin.

    Linux's C library keeps what each thread has freed for that thread and the next, in pieces that
    fit ever worse: a process would grow with each video.
    """
    gc.collect()  # FFmpeg's objects refer to one another.
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # Not every C library has it.
        if trim is not None:
            trim(0)
