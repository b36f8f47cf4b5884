"""TWS as a script sees it: each fault begins here, and ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs
import trio

from holdfast_adapters.simulators.ib.faults import REQUESTS, TOLD, VENUE, known_for
from holdfast_adapters.simulators.ib.peers import Peer
from holdfast_adapters.simulators.ib.server import TOLD_TRADES, TwsSimulator
from holdfast_adapters.simulators.script import (
    End,
    Kinds,
    On,
    ScriptedFault,
    flooded,
    silenced,
    struck_at_once,
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
        """Return when a client hears the market, or places an order."""
        simulator = self.simulator
        while not (
            simulator.desk.orders or any(p.tickers or p.ticks for p in simulator.peers)
        ):
            await simulator.asked.wait()

    def begin(self, fault: ScriptedFault, nursery: trio.Nursery) -> On:
        """Switch a fault on; see `Stage.begin`."""
        if not fault.of:
            return self._at_venue(fault, nursery)
        value = {} if fault.value is None else {"value": int(fault.value)}
        count = fault.count if fault.until_s is None else 0
        faults = self.simulator.faults
        made = faults.on(fault.kind, fault.of, count=count, **value)
        return On(lambda: made.struck, lambda: faults.off(made))

    def _at_venue(self, fault: ScriptedFault, nursery: trio.Nursery) -> On:
        simulator = self.simulator
        value = 1.0 if fault.value is None else fault.value
        match fault.kind:
            case "flood":
                return flooded(self._trade_again, value, nursery)
            case "half_open":
                return silenced(self._peers, nursery)
            case "reset":
                return struck_at_once(self._peers, Peer.reset, nursery)
            case kind:
                end = self._begun(kind, value)
                return On(lambda: simulator.met[kind], end)

    def _begun(self, kind: str, value: float) -> End:
        """Begin what lasts; return what ends it."""
        simulator = self.simulator
        match kind:
            case "connectivity":
                simulator.lose_connectivity()
                lost = value == DATA_LOST
                return lambda: simulator.restore_connectivity(lost=lost)
            case "farm":
                simulator.lose_farm()
                return simulator.restore_farm
            case "restart":
                simulator.is_down = True
                for each in simulator.peers:
                    each.reset()
                return lambda: setattr(simulator, "is_down", False)
            case "in_use":
                simulator.is_taken = True
                return lambda: setattr(simulator, "is_taken", False)
            case "pacing":
                before, simulator.messages_per_s = simulator.messages_per_s, int(value)
                return lambda: setattr(simulator, "messages_per_s", before)
            case _:  # slow
                simulator.slow_s = value
                return lambda: setattr(simulator, "slow_s", 0.0)

    def _peers(self) -> list[Peer]:
        return self.simulator.peers

    def _trade_again(self) -> int:
        desk, met = self.simulator.desk, self.simulator.met
        before = met[TOLD_TRADES]
        for contract in desk.contracts.values():
            last = desk.last(str(contract.con_id))
            if last is not None:
                price, quantity = Decimal(str(last.close)), Decimal(str(last.volume))
                desk.trade(contract.symbol, price, quantity)
        return met[TOLD_TRADES] - before
