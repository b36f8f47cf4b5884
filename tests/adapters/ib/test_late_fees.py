"""Commissions, which TWS tells apart: in time, late, and after a restart."""

from __future__ import annotations

from decimal import Decimal

import pytest

from holdfast_adapters.ib.memory import Memory
from holdfast_adapters.ib.telling import with_late_fees
from holdfast_adapters.simulators.ib.model import What
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.ports import Corrected, Executed

from .test_venue import order, trading

pytest.importorskip("ib_async")


async def test_a_fill_waits_for_its_commission_for_a_while() -> None:
    async with trading() as (desk, venue, listener):
        desk.simulator.faults.on("missing", "commissions")
        real = desk.desk.executions
        told = desk.desk.on_order[:]
        await venue.submit(order(1, None))
        await venue.positions()
        assert not any(isinstance(each, Executed) for each in listener.events)
        for tell in told:
            tell(What.COMMISSION, real[0].order, real[0])
        await listener.until(lambda: len(listener.events) == 2)
        fill = listener.events[-1]
        assert isinstance(fill, Executed)
        assert fill.fee == Money(Decimal(1), "USD")


async def test_a_commission_that_comes_late_corrects_its_fill() -> None:
    async with trading() as (desk, venue, listener):
        desk.simulator.faults.on("missing", "commissions")
        desk.simulator.answers.lists_commissions = False
        await venue.submit(order(1, None))
        early = await venue.executions_since("")
        assert early.events == []
        desk.clock.go_on(6)
        told = await venue.executions_since(early.watermark)
        (fill,) = told.events
        assert isinstance(fill, Executed)
        assert fill.fee == Money(Decimal(0), "USD")
        desk.simulator.answers.lists_commissions = True
        desk.clock.go_on(100)
        again, fee = (await venue.executions_since(told.watermark)).events
        assert again == fill
        assert isinstance(fee, Corrected)
        assert (fee.execution_id, fee.fee) == (
            fill.execution_id,
            Money(Decimal(1), "USD"),
        )
        del listener


async def test_a_commission_that_comes_after_a_restart_corrects_its_fill_too() -> None:
    """With the process went who knew which fills were told without theirs."""
    async with trading() as (desk, venue, _listener):
        desk.simulator.faults.on("missing", "commissions")
        desk.simulator.answers.lists_commissions = False
        await venue.submit(order(1, None))
        desk.clock.go_on(6)
        told = await venue.executions_since("")
        (fill,) = told.events
        assert isinstance(fill, Executed)
        assert fill.fee == Money(Decimal(0), "USD")
        venue.memory = Memory()
        venue.memory.begin(desk.clock.now_us())
        desk.simulator.answers.lists_commissions = True
        again, fee = (await venue.executions_since(told.watermark)).events
        assert isinstance(again, Executed)
        assert isinstance(fee, Corrected)
        assert (again.execution_id, fee.execution_id) == 2 * (fill.execution_id,)
        assert again.fee == fee.fee == Money(Decimal(1), "USD")
        desk.clock.go_on(100)
        await venue.submit(order(2, None))
        desk.clock.go_on(6)
        *_, last = (await venue.executions_since(told.watermark)).events
        # What this process has told itself, it knows.
        assert isinstance(last, Executed)


def test_the_fee_of_a_fill_that_was_corrected_is_not_told_as_it_was_before() -> None:
    at = utc_from_us(1_767_400_000_000_000)
    fee = Money(Decimal(1), "USD")
    was = Executed(
        order_id="A",
        execution_id="X.01",
        quantity=Quantity.of(2),
        price=Price.of(100),
        fee=fee,
        filled_at=at,
        cumulative=Quantity.of(2),
    )
    now = Corrected(
        order_id="A",
        execution_id="X.01",
        correction_id="X.02",
        quantity=Quantity.of(1),
        price=Price.of(100),
        fee=fee,
        filled_at=at,
    )
    assert with_late_fees([was, now], set(), {"X.01"}) == [was, now]
    assert len(with_late_fees([was], set(), {"X.01"})) == 2
    assert with_late_fees([was], set(), set()) == [was]
