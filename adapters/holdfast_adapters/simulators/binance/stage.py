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
    End,
    Kinds,
    ScriptedFault,
    SkewedClock,
    flooded,
    nothing,
)

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
        """Return when a client asks for something."""
        await self.simulator.asked.wait()

    def begin(self, fault: ScriptedFault, nursery: trio.Nursery) -> End:
        """Switch a fault on; see `Stage.begin`."""
        if not fault.of and fault.kind in VENUE:
            return self._at_venue(fault, nursery)
        value = {} if fault.value is None else {"value": fault.value}
        count = fault.count if fault.until_s is None else 0
        faults = self.simulator.faults
        made = faults.on(fault.kind, fault.of or ALL, count=count, **value)
        return lambda: faults.off(made)

    def _at_venue(self, fault: ScriptedFault, nursery: trio.Nursery) -> End:
        simulator, clock = self.simulator, self.clock
        value = 1.0 if fault.value is None else fault.value
        match fault.kind:
            case "maintenance":
                simulator.is_down = True
                self._close(GOING_AWAY)
                return self._reopen
            case "skew":
                clock.ahead_s = value
                return lambda: setattr(clock, "ahead_s", 0.0)
            case "slow":
                simulator.slow_s = value
                return lambda: setattr(simulator, "slow_s", 0.0)
            case "flood":
                return flooded(self._trade_again, value, nursery)
            case "half_open":
                for socket in simulator.sockets:
                    socket.is_mute = True
            case "closed":
                self._close(NORMAL if fault.value is None else int(value))
            case _:  # reset
                for socket in simulator.sockets:
                    socket.reset()
        return nothing

    def _close(self, code: int) -> None:
        for socket in self.simulator.sockets:
            socket.close(code)

    def _reopen(self) -> None:
        self.simulator.is_down = False

    def _trade_again(self) -> None:
        exchange = self.simulator.exchange
        for symbol in exchange.symbols.values():
            last = exchange.last(symbol.name)
            if last is not None:
                price, quantity = Decimal(str(last.close)), Decimal(str(last.volume))
                exchange.trade(symbol.name, price, quantity)
