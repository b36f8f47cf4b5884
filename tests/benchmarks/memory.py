"""How much memory this process has, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path


def resident_bytes() -> int:
    """Return what is resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """Return the most that was resident at any time, or since `forget_peak`."""
    (line,) = [
        each
        for each in Path("/proc/self/status").read_text().splitlines()
        if each.startswith("VmHWM:")
    ]
    return int(line.split()[1]) * 1024


def forget_peak() -> None:
    """Count the peak from what is resident now; what was imported had one, too."""
    Path("/proc/self/clear_refs").write_text("5")
