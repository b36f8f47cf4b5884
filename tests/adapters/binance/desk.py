"""The simulator on a port, and the adapter that talks to it, on a clock by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from holdfast_adapters.binance import BinanceSpot, Credentials, Timing
from holdfast_adapters.simulators.binance import (
    Account,
    BaseExchange,
    BinanceSimulator,
    Exchange,
    SimSymbol,
)
from holdfast_adapters.simulators.serving import serving
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import VenueOrder

KEY, SECRET = "k" * 64, "s3cr3t" * 10
BTC = "BTCUSDT"
START_US = 1_772_000_000_000_000
TIMING = Timing(read_s=30.0)


class HandClock:
    """A clock that goes only when it is told to."""

    def __init__(self, now_us: int = START_US) -> None:
        self.us = now_us
        self.slept: list[float] = []

    def now(self) -> Any:
        raise AssertionError

    def now_us(self) -> int:
        return self.us

    def go_on(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.go_on(seconds)


@attrs.define(eq=False)
class Desk:
    """An exchange with a market, and a venue at it."""

    clock: HandClock
    simulator: BinanceSimulator
    venue: BinanceSpot
    new_venue: Callable[..., BinanceSpot]
    port: int
    numbers: int = 0

    @property
    def exchange(self) -> BaseExchange:
        return self.simulator.exchange

    def market(self, price: object, quantity: object = 1000) -> None:
        """Let the market trade at ``price``, a moment later."""
        self.clock.go_on(0.01)
        self.exchange.trade(BTC, Decimal(str(price)), Decimal(str(quantity)))

    def order(self, **changes: Any) -> VenueOrder:
        """A new order to buy 0.1 at 50 000."""
        self.numbers += 1
        made = ClientOrderId(engine=1, epoch=1, sequence=self.numbers, strategy=1)
        return VenueOrder(
            order_id=str(made), terms=terms(**changes), placed_at_us=self.clock.us
        )

    def asked(self, operation: str) -> list[dict[str, str]]:
        """The requests of a kind that have come to the exchange."""
        return [each for what, each in self.simulator.answers.seen if what == operation]


def terms(**changes: Any) -> OrderTerms:
    made: dict[str, Any] = {
        "instrument": BTC,
        "side": Side.BUY,
        "quantity": Quantity.of("0.1"),
        "type": OrderType.LIMIT,
        "limit_price": Price.of(50_000),
    }
    return OrderTerms(**{**made, **changes})


@asynccontextmanager
async def desk(
    *,
    record: Path | None = None,
    symbols: tuple[str, ...] = (BTC,),
    connected: bool = True,
    **given: Any,
) -> AsyncIterator[Desk]:
    """Serve an exchange whose market is at 50 010, and connect to it."""
    clock = HandClock()
    exchange = Exchange(
        [SimSymbol(), SimSymbol(name="ETHUSDT", base="ETH")],
        {"USDT": Decimal(100_000), "BTC": Decimal(2)},
        clock,
        record=record,
        order_of=lambda name: name[:32],
    )
    simulator = BinanceSimulator(exchange, Account(KEY, SECRET))
    async with serving(simulator) as port:

        def new_venue(**other: Any) -> BinanceSpot:
            made: dict[str, Any] = {
                "symbols": symbols,
                "credentials": Credentials(KEY, SECRET),
                "address": f"http://127.0.0.1:{port}",
                "clock": clock,
                "sleep": clock.sleep,
                "timing": TIMING,
            }
            return BinanceSpot(**{**made, **given, **other})

        made = Desk(clock, simulator, new_venue(), new_venue, port)
        made.market(50_010)
        try:
            if connected:
                await made.venue.connect()
            yield made
        finally:
            await made.venue.close()
            exchange.record.close()
