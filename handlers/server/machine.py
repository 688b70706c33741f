"""What this process may use of its machine: a container has a part of it.

Source: Linux kernel, Documentation/admin-guide/cgroup-v2.rst, `cpu.max` and `memory.max`; seen from inside, a
container's own group is the root at /sys/fs/cgroup.
"""

from __future__ import annotations

import ctypes
import math
import os
from pathlib import Path
from typing import Final

from warmstart.limits import MIB

_C: Final = ctypes.CDLL(None)
CGROUP: Final = Path("/sys/fs/cgroup")


def processors(cgroup: Path = CGROUP) -> int:
    """Count the processors that this process may keep busy, at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal() and int(period):
        return max(1, min(allowed, math.ceil(int(quota) / int(period))))
    return allowed


def memory_mb(cgroup: Path = CGROUP) -> int:
    """Return the memory that this process may take, in MB of 2^20 bytes."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _read(cgroup / "memory.max")
    return (min(int(limit), whole) if limit.isdecimal() else whole) // MIB


def give_back() -> None:
    """Give the system what the C library keeps for later: opening a model takes far more than the model does.

    Source: malloc_trim(3), of glibc alone.
    """
    if (trim := getattr(_C, "malloc_trim", None)) is not None:
        trim(0)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:  # another system, or an older one
        return ""
