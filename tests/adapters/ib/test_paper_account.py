"""The venue at a real paper account; only where HOLDFAST_IB_PAPER says where it is.

``HOLDFAST_IB_PAPER=127.0.0.1:7497 pytest tests/adapters/ib/test_paper_account.py``
places one order far from the market, changes it and cancels it, and then a bracket. It
asks for the symbol ``HOLDFAST_IB_SYMBOL`` (AAPL), at ``HOLDFAST_IB_LIMIT`` (1 dollar);
the bracket's stop is at a half of that.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from msgspec.structs import replace

from holdfast.clocks import SystemClock
from holdfast_adapters.ib import Address, ContractSpec, IBVenue, Line
from holdfast_domain.errors import DuplicateOrder
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Acked, Ended, Found, Replaced, VenueOrder
from holdfast_runtime.threads import PykkaAsyncioHost

WHERE = os.environ.get("HOLDFAST_IB_PAPER", "")
SYMBOL = os.environ.get("HOLDFAST_IB_SYMBOL", "AAPL")
LIMIT = os.environ.get("HOLDFAST_IB_LIMIT", "1")

pytestmark = pytest.mark.skipif(not WHERE, reason="HOLDFAST_IB_PAPER is not set")


@asynccontextmanager
async def account() -> AsyncIterator[IBVenue]:
    host = PykkaAsyncioHost(name="ib")
    address = Address.parse(WHERE, "HOLDFAST_IB_PAPER", live=False)
    venue = IBVenue(
        host=host,
        line=Line(address=address, client_id=77, zone="America/New_York"),
        specs={SYMBOL: ContractSpec.named(SYMBOL)},
        clock=SystemClock(),
    )
    try:
        await venue.connect()
        yield venue
    finally:
        await venue.close()
        host.close()


async def test_an_order_lives_and_ends() -> None:
    async with account() as venue:
        await _order_lives(venue)


async def test_a_bracket_lives_and_ends() -> None:
    async with account() as venue:
        await _bracket_lives(venue)


def _order(terms: OrderTerms) -> VenueOrder:
    made = ClientOrderId(engine=secrets.randbits(32), epoch=1, sequence=1, strategy=1)
    return VenueOrder(
        order_id=str(made), terms=terms, placed_at_us=SystemClock().now_us()
    )


async def _bracket_lives(venue: IBVenue) -> None:
    entry = _terms(1)
    profit = replace(entry, side=Side.SELL, limit_price=_times(LIMIT, "2"))
    loss = replace(
        profit,
        type=OrderType.STOP,
        limit_price=None,
        stop_price=_times(LIMIT, "0.5"),
    )
    orders = [_order(each) for each in (entry, profit, loss)]
    name = orders[0].order_id
    orders = [
        replace(each, leg=Leg(list_id=name, kind=ListKind.BRACKET, role=role))
        for each, role in zip(orders, ROLES[ListKind.BRACKET], strict=True)
    ]
    said = await venue.submit_list(orders)
    assert [type(each) for each in said] == [Acked] * 3
    await venue.close()
    await venue.connect()
    for each in orders:
        found = await venue.lookup(each.order_id)
        assert isinstance(found, Found)
        assert found.terms == each.terms
    ended = await venue.cancel(orders[0].order_id)
    ids = {each.order_id for each in ended if isinstance(each, Ended)}
    assert ids == {each.order_id for each in orders}


def _times(price: str, factor: str) -> Price:
    return Price.of(str(Decimal(price) * Decimal(factor)))


async def _order_lives(venue: IBVenue) -> None:
    order = _order(_terms(1))
    (acked,) = await venue.submit(order)
    assert isinstance(acked, Acked)
    with pytest.raises(DuplicateOrder):
        await venue.submit(order)
    working = {each.order_id for each in (await venue.open_orders()).orders}
    assert order.order_id in working
    (changed,) = await venue.replace(order.order_id, _terms(2))
    assert isinstance(changed, Replaced)
    await venue.close()
    await venue.connect()
    found = await venue.lookup(order.order_id)
    assert isinstance(found, Found)
    assert found.quantity == Quantity.of(2)
    end = (await venue.cancel(order.order_id))[-1]
    assert isinstance(end, Ended)
    assert (await venue.account())["NetLiquidation"].amount > 0
    await venue.executions_since("")
    await venue.positions()


def _terms(quantity: int) -> OrderTerms:
    return OrderTerms(
        instrument=SYMBOL,
        side=Side.BUY,
        quantity=Quantity.of(quantity),
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=Price.of(LIMIT),
    )
