"""The exchange as a script sees it: each fault begins here, and ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs
import trio

from holdfast_adapters.simulators.binance.faults import (
    ALL,
    OPERATIONS,
    VENUE,
    known_for,
)
from holdfast_adapters.simulators.binance.server import BinanceSimulator
from holdfast_adapters.simulators.script import (
    Kinds,
    On,
    ScriptedFault,
    SkewedClock,
    flooded,
    silenced,
    struck_at_once,
)
from holdfast_adapters.simulators.serving import Socket

GOING_AWAY: Final = 1001
NORMAL: Final = 1000
KINDS: Final = Kinds(
    operations=OPERATIONS,
    known_for=known_for,
    at_large={**VENUE, **known_for(ALL)},
    lasting=("maintenance", "skew", "slow", "flood"),
    momentary=("half_open", "closed", "reset"),
    measured=("skew", "slow", "flood"),
)


@attrs.frozen
class BinanceStage:
    """A `Stage`: one exchange, and the clock that it goes by."""

    simulator: BinanceSimulator
    clock: SkewedClock

    async def visited(self) -> None:
        """Return when a client hears the market, or places an order."""
        while not self.simulator.is_visited:
            await self.simulator.asked.wait()

    def begin(self, fault: ScriptedFault, nursery: trio.Nursery) -> On:
        """Switch a fault on; see `Stage.begin`."""
        if not fault.of and fault.kind in VENUE:
            return self._at_venue(fault, nursery)
        value = {} if fault.value is None else {"value": fault.value}
        count = fault.count if fault.until_s is None else 0
        faults = self.simulator.faults
        made = faults.on(fault.kind, fault.of or ALL, count=count, **value)
        return On(lambda: made.struck, lambda: faults.off(made))

    def _at_venue(self, fault: ScriptedFault, nursery: trio.Nursery) -> On:
        simulator, clock = self.simulator, self.clock
        value = 1.0 if fault.value is None else fault.value
        match fault.kind:
            case "maintenance":
                simulator.is_down = True
                for socket in simulator.sockets:
                    socket.close(GOING_AWAY)
                return On(lambda: simulator.turned_away, self._reopen)
            case "skew":
                clock.ahead_s = value
                return On(self._answered, lambda: setattr(clock, "ahead_s", 0.0))
            case "slow":
                simulator.slow_s = value
                return On(self._answered, lambda: setattr(simulator, "slow_s", 0.0))
            case "flood":
                return flooded(self._trade_again, value, nursery)
            case "half_open":
                return silenced(self._sockets, nursery)
            case "closed":
                code = NORMAL if fault.value is None else int(value)
                return struck_at_once(
                    self._sockets, lambda each: each.close(code), nursery
                )
            case _:
                return struck_at_once(self._sockets, Socket.reset, nursery)

    def _sockets(self) -> list[Socket]:
        return self.simulator.sockets

    def _answered(self) -> int:
        return self.simulator.answered

    def _reopen(self) -> None:
        self.simulator.is_down = False

    def _trade_again(self) -> int:
        exchange, before = self.simulator.exchange, self.simulator.heard
        for symbol in exchange.symbols.values():
            last = exchange.last(symbol.name)
            if last is not None:
                price, quantity = Decimal(str(last.close)), Decimal(str(last.volume))
                exchange.trade(symbol.name, price, quantity)
        return self.simulator.heard - before
