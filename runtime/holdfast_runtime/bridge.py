"""The bridge from other threads to trio's: a deque, and one pending wake."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

CALLS = tuple[Callable[..., object], tuple[object, ...]]


class Bridge:
    """Makes calls on the trio thread on which it was made, in their order."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._waiting: deque[CALLS] = deque()
        self._wakes = False
        """Whether trio has been told to drain, and has not begun to."""

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, call: Callable[..., object], *arguments: object) -> None:
        """Call ``call`` on trio's thread soon; from any thread, and never blocks.

        Many calls cost one wake-up. ``call`` must not raise.

        Raises:
            trio.RunFinishedError: nobody is left to make the call.
        """
        self._waiting.append((call, arguments))
        # Another thread may be here too: waking twice is harmless, and not at all
        # cannot be while trio runs: what waits when `_drain` begins is taken by it.
        if not self._wakes:
            self._wakes = True
            try:
                self._token.run_sync_soon(self._drain)
            except trio.RunFinishedError:
                self._wakes = False
                raise

    def offer(self, call: Callable[..., object], *arguments: object) -> None:
        """Do as `send`; nothing is called once the run of trio has ended."""
        try:
            self.send(call, *arguments)
        except trio.RunFinishedError:
            self._waiting.clear()

    def _drain(self) -> None:
        self._wakes = False
        waiting = self._waiting
        # Not those that come meanwhile: a flood must not keep trio from its tasks.
        for _ in range(len(waiting)):
            call, arguments = waiting.popleft()
            call(*arguments)
