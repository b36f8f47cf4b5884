"""TWS as a script sees it: each fault begins here, and ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs
import trio

from holdfast_adapters.simulators.ib.faults import REQUESTS, TOLD, VENUE, known_for
from holdfast_adapters.simulators.ib.server import TwsSimulator
from holdfast_adapters.simulators.script import (
    End,
    Kinds,
    ScriptedFault,
    flooded,
    nothing,
)

DATA_LOST: Final = 1101
KINDS: Final = Kinds(
    operations=(*REQUESTS, *TOLD),
    known_for=known_for,
    at_large=VENUE,
    lasting=("connectivity", "farm", "restart", "in_use", "pacing", "slow", "flood"),
    momentary=("reset", "half_open"),
    measured=("pacing", "slow", "flood"),
)


@attrs.frozen
class TwsStage:
    """A `Stage`: one TWS."""

    simulator: TwsSimulator

    async def visited(self) -> None:
        """Return when a client asks for something."""
        await self.simulator.asked.wait()

    def begin(self, fault: ScriptedFault, nursery: trio.Nursery) -> End:
        """Switch a fault on; see `Stage.begin`."""
        if not fault.of:
            return self._at_venue(fault, nursery)
        value = {} if fault.value is None else {"value": int(fault.value)}
        count = fault.count if fault.until_s is None else 0
        faults = self.simulator.faults
        made = faults.on(fault.kind, fault.of, count=count, **value)
        return lambda: faults.off(made)

    def _at_venue(self, fault: ScriptedFault, nursery: trio.Nursery) -> End:
        simulator = self.simulator
        value = 1.0 if fault.value is None else fault.value
        match fault.kind:
            case "connectivity":
                simulator.lose_connectivity()
                lost = value == DATA_LOST
                return lambda: simulator.restore_connectivity(lost=lost)
            case "farm":
                simulator.lose_farm()
                return simulator.restore_farm
            case "restart":
                simulator.is_down = True
                self._reset()
                return lambda: setattr(simulator, "is_down", False)
            case "in_use":
                simulator.is_taken = True
                return lambda: setattr(simulator, "is_taken", False)
            case "pacing":
                before, simulator.messages_per_s = simulator.messages_per_s, int(value)
                return lambda: setattr(simulator, "messages_per_s", before)
            case "slow":
                simulator.slow_s = value
                return lambda: setattr(simulator, "slow_s", 0.0)
            case "flood":
                return flooded(self._trade_again, value, nursery)
            case "half_open":
                for each in simulator.peers:
                    each.is_mute = True
            case _:  # reset
                self._reset()
        return nothing

    def _reset(self) -> None:
        for each in self.simulator.peers:
            each.reset()

    def _trade_again(self) -> None:
        desk = self.simulator.desk
        for contract in desk.contracts.values():
            last = desk.last(str(contract.con_id))
            if last is not None:
                price, quantity = Decimal(str(last.close)), Decimal(str(last.volume))
                desk.trade(contract.symbol, price, quantity)
