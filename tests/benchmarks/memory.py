"""How much memory this process has, as the kernel counts it."""

from __future__ import annotations

import os
import resource
from pathlib import Path


def resident_bytes() -> int:
    """Return what is resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """Return the most that was resident at any time."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
