"""A thread for a whole engine, and the box in which it leaves a result."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future


def start_thread(name: str, run: Callable[[], None]) -> threading.Thread:
    """Start a thread for a whole engine; a process that ends does not wait for it."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


__all__ = ["Future", "start_thread"]
