"""A thread for a whole engine."""

from __future__ import annotations

import threading
from collections.abc import Callable


def start_thread(name: str, run: Callable[[], None]) -> threading.Thread:
    """Start a thread for a whole engine; a process that ends does not wait for it."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
