"""The dead man's switch of the futures: a countdown for each symbol.

Source: developers.binance.com, USD-M futures, "Auto-Cancel All Open Orders". Stops that
wait are with another service, and are not said to be among what is canceled.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_adapters.binance.credentials import Parameters
from holdfast_adapters.binance.errors import OK
from holdfast_adapters.binance.futures.paths import COUNTDOWN
from holdfast_adapters.binance.rest import Rest


class FuturesSwitch:
    """A `DeadMansSwitch` with a connection of its own."""

    def __init__(self, rest: Rest, symbols: Sequence[str]) -> None:
        """Cancel the orders of ``symbols``, whoever placed them."""
        self._rest = rest
        self._symbols = tuple(symbols)
        self._knows_time = False

    async def arm(self, after_s: float) -> None:
        """Begin the countdowns anew; see `DeadMansSwitch.arm`."""
        self._rest.open()
        if not self._knows_time:
            await self._rest.sync_time()
            self._knows_time = True
        for symbol in self._symbols:
            asked: Parameters = {
                "symbol": symbol,
                "countdownTime": round(after_s * 1000),
            }
            answer = await self._rest.send("POST", COUNTDOWN, asked)
            if answer.status != OK:
                self._knows_time = False  # it may be the clock
                raise self._rest.judged(answer).error(self._rest.name)

    async def disarm(self) -> None:
        """End the countdowns, and the connection; see `DeadMansSwitch.disarm`."""
        try:
            await self.arm(0)
        finally:
            await self._rest.close()
