"""How much may be asked: IB allows 50 messages a second, and ends who asks more.

A request waits here before anything of it leaves, so that one which is given up while
it waits has never left. ib_async has a queue of its own for this, which is switched
off: what waits in it at a disconnect is thrown away without a word.
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - this runs in the loop of the library
from collections import deque
from collections.abc import Callable
from typing import Final

from holdfast_domain.sight import Limiter

PER_S: Final = 45
RESERVE: Final = 10
"""How many of them only cancels may take."""


class Pacer:
    """Lets at most `PER_S` messages leave in any second."""

    def __init__(self, per_s: int = PER_S) -> None:
        self._per_s = per_s
        self._left: deque[float] = deque()
        self._until = 0.0
        self._now: Callable[[], float] = lambda: 0.0
        """The loop's clock, once something was asked."""

    def sight(self) -> Limiter:
        """Return how much is used; from any thread."""
        since = self._now() - 1.0
        return Limiter(
            used=sum(each > since for each in tuple(self._left)),
            limit=self._per_s,
            window_s=1.0,
            for_orders=RESERVE,
            for_cancels=RESERVE,
        )

    async def pace(self, *, cancel: bool = False) -> None:
        """Wait until one more message may leave, and count it."""
        most = self._per_s if cancel else self._per_s - RESERVE
        loop = asyncio.get_running_loop()
        self._now = loop.time
        while True:
            now = loop.time()
            while self._left and self._left[0] <= now - 1.0:
                self._left.popleft()
            if now >= self._until and len(self._left) < most:
                self._left.append(now)
                return
            over = len(self._left) - most
            free = self._left[over] + 1.0 if over >= 0 else now
            await asyncio.sleep(max(free, self._until) - now)

    def hold(self, seconds: float) -> None:
        """Let nothing leave for a while: IB says that it was too much."""
        self._until = asyncio.get_running_loop().time() + seconds
