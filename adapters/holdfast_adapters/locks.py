"""Locks on files: the system gives one back when its process ends, however it ends.

The file's first word is the pid of who has it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

_TRIES = 6
_PAUSE_S = 0.01
"""`holder` takes a lock for an instant, so one refusal proves nothing."""


def open_lock(path: Path) -> int:
    """Return a descriptor of the file at ``path``, made (0600) if need be."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def taken(descriptor: int) -> bool:
    """Take the lock, unless another process has it; tell whether it is ours."""
    for _ in range(_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(_PAUSE_S)
    return False


def holder(descriptor: int) -> int | None:
    """Return the pid of the live process that has the lock, if one has.

    Raises:
        OSError: it is taken, and its holder does not say who it is.
    """
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = pid_in(descriptor)
            if pid is not None:
                return pid
        else:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            return None
        time.sleep(_PAUSE_S)  # its new holder has not written its pid yet
    message = "the lock is taken, and no pid in it"
    raise OSError(message)


def pid_in(descriptor: int) -> int | None:
    """Return the pid in the file, if there is one."""
    words = os.pread(descriptor, 64, 0).split()
    text = words[0] if words else b""
    return int(text) if text.isdigit() and int(text) > 0 else None


def write_in(descriptor: int, text: str) -> None:
    """Let the file hold the line ``text`` alone, durably; blocks.

    At no moment is neither the old line nor the new one its first.
    """
    line = text.encode()
    os.pwrite(descriptor, line, 0)
    os.ftruncate(descriptor, len(line))
    os.fsync(descriptor)
