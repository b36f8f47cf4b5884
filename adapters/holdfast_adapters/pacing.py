"""When a market is handed on: at once, or in batches where so much comes."""

from __future__ import annotations

from typing import Final

import trio

AT_ONCE: Final = 256
"""How often in a row, after a quiet time, what came is handed on without a wait."""


class Pace:
    """Lets through at once what comes now and then, and by the pulse what does not end.

    Each time that something is handed on is a step on the tape, which keeps its time
    for ever. So there are as many in the long run as there are pulses in it, and what
    was not used of the last `AT_ONCE` is there for what comes alone, and for bursts.
    """

    def __init__(self, pulse_s: float) -> None:
        self._pulse_s = pulse_s
        self._left = AT_ONCE
        self._came = False
        self._bell = trio.Event()

    async def beat(self) -> None:
        """Be the pulse, until cancelled: a task of its own."""
        while True:
            await trio.sleep(self._pulse_s)
            self._left = min(self._left + 1, AT_ONCE)
            self._bell.set()

    def ring(self) -> None:
        """Say that something came."""
        self._came = True
        if self._left:
            self._bell.set()

    async def wait(self) -> None:
        """Return when something is to be handed on, and with each pulse in any case.

        What comes from then on is for the next time.
        """
        await self._bell.wait()
        self._bell = trio.Event()
        if self._came:
            self._came = False
            self._left -= 1
