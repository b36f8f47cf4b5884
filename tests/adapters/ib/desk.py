"""A desk on a port, on a clock by hand, and a loop for who talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from holdfast_adapters.simulators.ib import (
    Desk,
    SimContract,
    TwsSimulator,
    serving_tws,
)
from holdfast_runtime.threads import PykkaAsyncioHost

START_US = 1_767_625_200_000_000
"""2026-01-05 15:00 UTC, in the morning of a Monday in New York."""

LONG_S = 60.0


class HandClock:
    """A clock that goes only when it is told to."""

    def __init__(self, now_us: int = START_US) -> None:
        self.us = now_us

    def now(self) -> Any:
        raise AssertionError

    def now_us(self) -> int:
        return self.us

    def go_on(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)


@attrs.define(eq=False)
class Office:
    """A simulator with a market, where it listens, and a loop for its client."""

    clock: HandClock
    simulator: TwsSimulator
    port: int
    host: PykkaAsyncioHost

    @property
    def desk(self) -> Desk:
        return self.simulator.desk

    def market(self, price: object, quantity: object = 1000) -> None:
        """Let the market trade at ``price``, a moment later."""
        self.clock.go_on(0.01)
        self.desk.trade("AAPL", Decimal(str(price)), Decimal(str(quantity)))


@asynccontextmanager
async def office(
    *,
    version: int = 178,
    record: Path | None = None,
    messages_per_s: int | None = None,
    more: Sequence[SimContract] = (),
) -> AsyncIterator[Office]:
    """Open at a price of 100, with a thousand to be had; ``more`` have no price yet."""
    clock = HandClock()
    desk = Desk([SimContract(), *more], Decimal(100_000), clock, record=record)
    simulator = TwsSimulator(desk, version=version, messages_per_s=messages_per_s)
    host = PykkaAsyncioHost(name="ib")
    try:
        async with serving_tws(simulator) as port:
            opened = Office(clock, simulator, port, host)
            opened.market(100)
            yield opened
    finally:
        host.close()
        desk.record.close()
