"""Who speaks, for each thread: only engines that have actors in threads ask for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast_runtime.kernel import Kernel


class _Speaker(threading.local):
    cell: Any = None


class _PerThread:
    """Replaces the kernel's plain attribute ``current``."""

    _speaker: _Speaker

    @property
    def current(self) -> Any:  # noqa: ANN401 - a cell, or what stands for one
        """The actor whose function runs in this thread."""
        return self._speaker.cell

    @current.setter
    def current(self, cell: Any) -> None:  # noqa: ANN401
        self._speaker.cell = cell


def tell_threads_apart(kernel: Kernel) -> None:
    """Let ``kernel.current`` be another one in each thread; idempotent.

    It costs all actors of this engine some tens of nanoseconds per message, so it is
    done when the first of them moves to a thread.
    """
    if isinstance(kernel, _PerThread):
        return
    speaker = _Speaker()
    speaker.cell = kernel.current
    kind = type(kernel)
    vars(kernel)["_speaker"] = speaker
    kernel.__class__ = type(kind.__name__, (_PerThread, kind), {})
