"""Divide the CPUs of a machine among the parts of the plan."""

from __future__ import annotations

from configs.schema import Settings


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
