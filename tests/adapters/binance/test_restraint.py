"""Who does not answer is not asked for a while, and a limit keeps a reserve."""

from __future__ import annotations

import pytest

from holdfast_adapters.binance.budget import Budget
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueRefused

from .desk import desk


async def test_a_venue_that_does_not_answer_is_not_asked_for_a_minute() -> None:
    async with desk() as d:
        order = d.order()
        d.simulator.faults.on("error_500", "open_orders", count=99)
        for _ in range(5):
            with pytest.raises(OutcomeUnknown, match="HTTP 500"):
                await d.venue.open_orders()
        seen = d.venue._rest.breaker.sight(d.clock.us / 1e6)
        assert (seen.state, seen.failures, seen.left_s) == ("open", 5, 60.0)
        asked = len(d.simulator.answers.seen)
        for question in (d.venue.open_orders, d.venue.balances):
            with pytest.raises(OutcomeUnknown, match="it is asked again in 60 s"):
                await question()
        assert len(d.simulator.answers.seen) == asked
        # What changes something is no question, and leaves: cancels of a degraded
        # venue, too.
        await d.venue.submit(order)
        await d.venue.cancel(order.order_id)
        d.clock.go_on(60)
        with pytest.raises(OutcomeUnknown, match="HTTP 500"):
            await d.venue.open_orders()
        assert len(d.simulator.answers.seen) == asked + 3
        with pytest.raises(OutcomeUnknown, match="it is asked again in 60 s"):
            await d.venue.balances()
        d.clock.go_on(60)
        for _ in range(2):
            await d.venue.balances()
        with pytest.raises(OutcomeUnknown, match="HTTP 500"):
            await d.venue.open_orders()
        await d.venue.balances()


async def test_who_says_no_is_there() -> None:
    async with desk() as d:
        for _ in range(6):
            with pytest.raises(VenueRefused):
                await d.venue.book("NOPE")
        await d.venue.balances()


async def test_a_limit_that_is_nearly_used_keeps_a_reserve_for_orders() -> None:
    async with desk() as d:
        order, other = d.order(), d.order()
        await d.venue.submit(order)
        d.clock.go_on(60 - d.clock.us / 1e6 % 60 + 20)
        await d.venue.balances()  # a new minute begins
        d.simulator.answers.weight = 4799  # of 6000
        await d.venue.balances()
        with pytest.raises(NotSent, match="nearly used") as limited:
            await d.venue.balances()
        assert limited.value.retry_after_s == pytest.approx(40, abs=0.1)
        assert limited.value.only_limits
        await d.venue.submit(other)
        d.simulator.answers.weight = 5399
        await d.venue.cancel(other.order_id)
        with pytest.raises(NotSent, match="nearly used"):
            await d.venue.submit(d.order())
        await d.venue.cancel(order.order_id)
        d.clock.go_on(41)
        await d.venue.balances()
        await d.venue.balances()


async def test_two_that_ask_from_one_address_share_its_limit() -> None:
    budget = Budget()
    async with desk(budget=budget) as d:
        other = d.new_venue()
        await other.connect()
        assert budget.limit == 6000
        assert other._rest.breaker is d.venue._rest.breaker
        d.simulator.answers.weight = 5000
        await d.venue.balances()
        now_ms = d.clock.us // 1000
        seen = budget.sight(now_ms)
        assert seen.used >= 5000
        assert seen.is_used_up
        assert (seen.limit, seen.for_orders, seen.for_cancels) == (6000, 1200, 600)
        assert budget.sight(now_ms + 60_000).used == 0
        with pytest.raises(NotSent, match="nearly used"):
            await other.balances()
        await other.close()
