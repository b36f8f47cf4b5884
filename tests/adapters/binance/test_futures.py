"""What the contract does not ask of futures: the switch, hedge mode, late windows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest

from holdfast_adapters.binance import Credentials, Rest
from holdfast_adapters.binance.futures import FUTURES, BinanceFutures
from holdfast_adapters.binance.futures.switch import FuturesSwitch
from holdfast_adapters.simulators.binance import Account, SimSymbol
from holdfast_adapters.simulators.binance.futures import (
    FuturesExchange,
    FuturesSimulator,
)
from holdfast_adapters.simulators.serving import serving
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.money import Price
from holdfast_domain.orders import OrderType
from holdfast_domain.ports import Ended, Found, Replaced, VenueOrder

from .desk import BTC, KEY, SECRET, TIMING, HandClock, terms

WHO = Credentials(KEY, SECRET)


@attrs.define
class Desk:
    """The exchange, and what reaches it."""

    clock: HandClock
    exchange: FuturesExchange
    simulator: FuturesSimulator
    port: int
    numbers: int = 0

    def venue(self, **more: Any) -> BinanceFutures:
        return BinanceFutures(
            symbols=[BTC], credentials=WHO, address=f"http://127.0.0.1:{self.port}",
            clock=self.clock, sleep=self.clock.sleep, timing=TIMING, **more,
        )  # fmt: skip

    def rest(self) -> Rest:
        return Rest(
            name="binance", credentials=WHO, address=f"http://127.0.0.1:{self.port}",
            clock=self.clock, sleep=self.clock.sleep, timing=TIMING, routes=FUTURES,
        )  # fmt: skip

    def order(self, **changes: Any) -> VenueOrder:
        self.numbers += 1
        made = ClientOrderId(engine=1, epoch=1, sequence=self.numbers, strategy=1)
        return VenueOrder(
            order_id=str(made), terms=terms(**changes), placed_at_us=self.clock.us
        )

    def market(self, price: object, after_s: float = 0.01) -> None:
        self.clock.go_on(after_s)
        self.exchange.trade(BTC, Decimal(str(price)), Decimal(1000))


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    clock = HandClock()
    exchange = FuturesExchange([SimSymbol()], {"USDT": Decimal(100_000)}, clock)
    simulator = FuturesSimulator(exchange, Account(KEY, SECRET))
    async with serving(simulator) as port:
        made = Desk(clock, exchange, simulator, port)
        made.market(50_010)
        yield made


@asynccontextmanager
async def connected(d: Desk, **more: Any) -> AsyncIterator[BinanceFutures]:
    venue = d.venue(**more)
    await venue.connect()
    try:
        yield venue
    finally:
        await venue.close()


async def test_orders_are_canceled_when_the_switch_is_not_put_off() -> None:
    async with desk() as d, connected(d) as venue:
        switch, order = FuturesSwitch(d.rest(), [BTC]), d.order()
        await venue.submit(order)
        for _ in range(3):
            await switch.arm(60)
            d.market(50_010, after_s=59)
        assert len((await venue.open_orders()).orders) == 1
        d.market(50_010, after_s=1.1)
        assert (await venue.open_orders()).orders == []
        found = await venue.lookup(order.order_id)
        assert isinstance(found, Found)
        assert isinstance(found.events[-1], Ended)
        await switch.disarm()


async def test_what_is_disarmed_does_not_strike() -> None:
    async with desk() as d, connected(d) as venue:
        switch = FuturesSwitch(d.rest(), [BTC])
        await venue.submit(d.order())
        await switch.arm(60)
        await switch.disarm()
        d.market(50_010, after_s=100)
        assert len((await venue.open_orders()).orders) == 1


@pytest.mark.parametrize(
    ("kind", "error"), [("lost_ack", OutcomeUnknown), ("clock_skew", NotSent)]
)
async def test_a_switch_that_fails_says_so(kind: str, error: type[Exception]) -> None:
    async with desk() as d:
        switch = FuturesSwitch(d.rest(), [BTC])
        d.simulator.faults.on(kind, "countdown")
        with pytest.raises(error):
            await switch.arm(60)
        await switch.arm(60)
        await switch.disarm()


async def test_hedge_mode_is_refused_in_one_line() -> None:
    async with desk() as d:
        d.exchange.hedges = True
        venue = d.venue()
        with pytest.raises(VenueRefused, match="got one in hedge mode; change") as said:
            await venue.connect()
        assert "\n" not in str(said.value)
        await venue.close()


async def test_executions_of_long_ago_are_found_week_by_week() -> None:
    async with desk() as d:
        begun_us = d.clock.us
        d.clock.go_on(20 * 86_400)
        d.market(50_010)
        async with connected(d, history_from_us=begun_us) as venue:
            market = d.order(type=OrderType.MARKET, limit_price=None)
            await venue.submit(market)
            (executed,) = (await venue.executions_since("")).events
            assert executed.order_id == market.order_id


@pytest.mark.parametrize("reduces", [True, False])
async def test_reduce_only_is_told_where_one_strategy_trades(reduces: bool) -> None:
    async with desk() as d, connected(d, reduces=reduces) as venue:
        order = d.order(reduce_only=True)
        if reduces:
            with pytest.raises(VenueRefused, match="-2022"):
                await venue.submit(order)
        else:
            await venue.submit(order)
        (asked,) = (each for what, each in d.simulator.answers.seen if what == "submit")
        assert asked.get("reduceOnly") == ("true" if reduces else None)


async def test_new_terms_that_hold_already_are_the_orders_terms() -> None:
    """A change that was lost with a session is asked for again, and may have come."""
    async with desk() as d, connected(d) as venue:
        order, new = d.order(), terms(limit_price=Price.of(49_000))
        await venue.submit(order)
        done = [Replaced(order_id=order.order_id, terms=new)]
        d.simulator.faults.on("lost_ack", "replace")
        with pytest.raises(OutcomeUnknown):
            await venue.replace(order.order_id, new)
        after = d.venue()
        await after.connect()
        assert await after.replace(order.order_id, new) == done
        found = await after.lookup(order.order_id)
        assert isinstance(found, Found)
        assert found.terms is not None
        assert found.terms.limit_price == Price.of("49000.00000000")
        await after.close()


async def test_a_stop_that_became_an_order_is_canceled_as_one() -> None:
    async with desk() as d, connected(d) as venue:
        stop = d.order(
            type=OrderType.STOP_LIMIT,
            stop_price=Price.of(50_100),
            limit_price=Price.of(50_050),
        )
        await venue.submit(stop)
        d.market(50_100)
        (working,) = (await venue.open_orders()).orders
        assert (working.order_id, working.terms) == (stop.order_id, None)
        found = await venue.lookup(stop.order_id)
        assert isinstance(found, Found)
        assert found.terms == stop.terms
        after = d.venue()
        await after.connect()
        (ended,) = await after.cancel(stop.order_id)
        assert isinstance(ended, Ended)
        assert (await after.open_orders()).orders == []
        await after.close()


async def test_a_stop_that_is_refused_when_it_is_reached_has_ended() -> None:
    async with desk() as d, connected(d) as venue:
        stop = d.order(
            type=OrderType.STOP, limit_price=None, stop_price=Price.of(50_100)
        )
        await venue.submit(stop)
        d.exchange.balances["USDT"].free = Decimal(1)
        d.market(50_100)
        found = await venue.lookup(stop.order_id)
        assert isinstance(found, Found)
        ended = found.events[-1]
        assert isinstance(ended, Ended)
        assert (ended.how, ended.reason) == ("rejected", "REJECTED")
        assert (await venue.open_orders()).orders == []
