"""The spot venue over real sockets: what it sends, how often, what it keeps secret."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
import trio

from holdfast_adapters.binance import Credentials
from holdfast_adapters.binance.rest import ATTEMPTS
from holdfast_adapters.simulators.binance import AFTER, BEFORE
from holdfast_domain.errors import (
    InputError,
    NotSent,
    OutcomeUnknown,
    VenueError,
    VenueRefused,
)
from holdfast_domain.money import Price, Quantity
from holdfast_domain.ports import Ended, Found, NotFound, Replaced

from .desk import BTC, KEY, SECRET, Desk, desk, terms

UNREAD = {"limited", "banned", "too_many_orders", "clock_skew"}
REFUSED = {"expired_key", "firewall"}
HELD = {"held", "held_ack"}


def answered(kinds: dict[str, str]) -> list[str]:
    return sorted(kinds.keys() - HELD)


# --- one attempt for what changes something -----------------------------------


@pytest.mark.parametrize("kind", answered({**BEFORE, **AFTER}))
async def test_an_order_is_sent_once_whatever_comes(kind: str) -> None:
    async with desk() as d:
        d.simulator.faults.on(kind, "submit", count=99)
        wanted: type[VenueError] = OutcomeUnknown
        if kind in UNREAD:
            wanted = NotSent
        elif kind in REFUSED:
            wanted = VenueRefused
        with pytest.raises(wanted):
            await d.venue.submit(d.order())
        assert len(d.asked("submit")) == 1
        assert len(d.exchange.orders) == (kind in AFTER)


@pytest.mark.parametrize("kind", answered({**BEFORE, **AFTER}))
async def test_a_cancel_is_sent_once_whatever_comes(kind: str) -> None:
    async with desk() as d:
        order = d.order()
        await d.venue.submit(order)
        d.simulator.faults.on(kind, "cancel", count=99)
        with pytest.raises(VenueError):
            await d.venue.cancel(order.order_id)
        assert len(d.asked("cancel")) == 1


async def test_nothing_listens() -> None:
    async with desk() as d:
        venue = d.new_venue()
    await_error = pytest.raises(NotSent)
    with await_error:
        await venue.connect()
    with await_error:
        await venue.submit(d.order())
    await venue.close()


async def test_without_a_session_nothing_is_sent() -> None:
    async with desk(connected=False) as d:
        with pytest.raises(NotSent, match="connect first"):
            await d.venue.submit(d.order())
        assert d.simulator.answers.seen == []


@pytest.mark.parametrize("kind", ["held", "held_ack"])
async def test_a_request_that_is_cut_leaves_nothing_behind(kind: str) -> None:
    async with desk() as d:
        order = d.order()
        d.simulator.faults.on(kind, "submit")
        async with trio.open_nursery() as nursery:
            asked = d.simulator.asked
            nursery.start_soon(d.venue.submit, order)
            await asked.wait()
            nursery.cancel_scope.cancel()
        d.clock.go_on(60)
        found = await d.venue.lookup(order.order_id)
        assert isinstance(found, Found if kind == "held_ack" else NotFound)
        assert len(d.asked("submit")) == 1


# --- questions are asked again ------------------------------------------------


@pytest.mark.parametrize("kind", ["lost_request", "reset", "error_500", "garbage"])
async def test_a_question_is_asked_a_few_times(kind: str) -> None:
    async with desk() as d:
        d.simulator.faults.on(kind, "open_orders", count=ATTEMPTS - 1)
        assert (await d.venue.open_orders()).orders == []
        assert d.clock.slept == [0.25, 0.5, 1.0, 2.0]
        d.simulator.faults.on(kind, "open_orders", count=99)
        with pytest.raises(OutcomeUnknown):
            await d.venue.open_orders()
        assert len(d.asked("open_orders")) == 2 * ATTEMPTS


@pytest.mark.parametrize("kind", ["limited", "banned"])
async def test_a_limit_silences_for_as_long_as_it_says(kind: str) -> None:
    async with desk() as d:
        order = d.order()
        await d.venue.submit(order)
        d.simulator.faults.on(kind, "open_orders", value=7)
        with pytest.raises(NotSent) as limited:
            await d.venue.open_orders()
        assert limited.value.retry_after_s == 7
        before = len(d.simulator.answers.seen)
        d.clock.go_on(6.5)
        for ask in (d.venue.open_orders, lambda: d.venue.submit(d.order())):
            with pytest.raises(NotSent, match="hear nothing") as silent:
                await ask()
            assert silent.value.retry_after_s == 0.5
            assert silent.value.only_limits is (kind == "limited")
        assert len(d.simulator.answers.seen) == before
        if kind == "limited":
            await d.venue.cancel(order.order_id)
        else:
            with pytest.raises(NotSent, match="hear nothing"):
                await d.venue.cancel(order.order_id)
        d.clock.go_on(0.6)
        await d.venue.submit(d.order())


async def test_too_many_orders_do_not_silence_questions() -> None:
    async with desk() as d:
        d.simulator.faults.on("too_many_orders", "submit")
        with pytest.raises(NotSent) as limited:
            await d.venue.submit(d.order())
        assert limited.value.retry_after_s == 10
        assert limited.value.only_limits
        assert (await d.venue.open_orders()).orders == []


async def test_a_question_learns_the_time_when_the_clocks_differ() -> None:
    async with desk() as d:
        d.simulator.faults.on("clock_skew", "account")
        await d.venue.balances()
        assert len(d.asked("time")) == 2
        assert d.clock.slept == []


async def test_times_are_the_venues_on_the_wire_and_ours_in_answers() -> None:
    async with desk() as d:
        venue = d.new_venue()
        venue._rest.time.clock = other = type(d.clock)(d.clock.us - 3_600_000_000)
        await venue.connect()
        order = d.order()
        await venue.submit(order)
        found = await venue.lookup(order.order_id)
        assert isinstance(found, Found)
        assert abs(found.placed_at_us - other.us) < 1_000_000
        await venue.close()


# --- where an order is --------------------------------------------------------


async def test_after_a_restart_an_order_is_found_by_its_id_alone() -> None:
    async with desk(symbols=("ETHUSDT", BTC)) as d:
        order = d.order()
        await d.venue.submit(order)
        after = d.new_venue()
        await after.connect()
        (ended,) = await after.cancel(order.order_id)
        assert isinstance(ended, Ended)
        with pytest.raises(VenueRefused, match="-2013"):
            await after.cancel(d.order().order_id)
        await after.close()


async def test_absence_is_asked_for_twice_of_each_symbol() -> None:
    async with desk(symbols=("ETHUSDT", BTC)) as d:
        assert isinstance(await d.venue.lookup(d.order().order_id), NotFound)
        assert len(d.asked("order")) == 4
        bound_s = d.venue.promises.processing_bound_s
        assert d.venue.promises.proves_absence
        assert bound_s == 5 + 10 + 1


async def test_an_order_that_was_there_and_is_not_is_a_doubt() -> None:
    async with desk() as d:
        order = d.order()
        await d.venue.submit(order)
        d.exchange.orders.clear()
        with pytest.raises(OutcomeUnknown, match="was there"):
            await d.venue.lookup(order.order_id)


async def changed_twice(d: Desk) -> str:
    order = d.order()
    await d.venue.submit(order)
    for price in (49_000, 48_000):
        new = terms(limit_price=Price.of(price), quantity=Quantity.of("0.2"))
        said = await d.venue.replace(order.order_id, new)
        assert said == [Replaced(order_id=order.order_id, terms=new)]
    return order.order_id


async def test_an_order_keeps_its_id_through_new_terms_and_restarts() -> None:
    async with desk() as d:
        order_id = await changed_twice(d)
        d.clock.go_on(60)
        after = d.new_venue()
        await after.connect()
        found = await after.lookup(order_id)
        assert isinstance(found, Found)
        assert found.terms is not None
        assert found.terms.limit_price == Price.of("48000.00000000")
        assert found.quantity == Quantity.of("0.20000000")
        (open_,) = (await after.open_orders()).orders
        assert open_.order_id == order_id
        (ended,) = await after.cancel(order_id)
        assert isinstance(ended, Ended)
        assert d.exchange.open_orders() == []
        await after.close()


async def test_what_is_partly_filled_gets_no_new_terms() -> None:
    async with desk() as d:
        order = d.order()
        await d.venue.submit(order)
        d.market(49_999, "0.03")
        with pytest.raises(VenueRefused, match="-2011"):
            await d.venue.replace(order.order_id, terms(limit_price=Price.of(49_000)))
        (ended,) = await d.venue.cancel(order.order_id)
        assert isinstance(ended, Ended)
        assert ended.cumulative == Quantity.of("0.03000000")


async def test_a_change_whose_new_terms_are_refused_has_ended_the_order() -> None:
    async with desk() as d:
        order = d.order()
        await d.venue.submit(order)
        off_tick = terms(limit_price=Price.of("49000.001"))
        (ended,) = await d.venue.replace(order.order_id, off_tick)
        assert isinstance(ended, Ended)
        assert (ended.how, ended.code) == ("canceled", "-1013")
        assert "PRICE_FILTER" in ended.reason


async def test_a_post_only_order_that_would_cross_is_refused_in_the_venues_words() -> (
    None
):
    async with desk() as d:
        order = d.order(limit_price=Price.of(50_010), post_only=True)
        with pytest.raises(VenueRefused) as caught:
            await d.venue.submit(order)
        assert caught.value.code == "-2010"
        assert caught.value.reason == "Order would immediately match and take."
        (asked,) = d.asked("submit")
        assert asked["type"] == "LIMIT_MAKER"
        d.clock.go_on(17)
        assert isinstance(await d.venue.lookup(order.order_id), NotFound)


@pytest.mark.parametrize("kind", ["lost_request", "lost_ack"])
async def test_a_change_in_doubt_is_not_told_before_its_time(kind: str) -> None:
    async with desk() as d:
        order = d.order()
        await d.venue.submit(order)
        d.simulator.faults.on(kind, "replace")
        new = terms(limit_price=Price.of(49_000))
        with pytest.raises(OutcomeUnknown):
            await d.venue.replace(order.order_id, new)
        if kind == "lost_request":
            with pytest.raises(OutcomeUnknown, match="may still come"):
                await d.venue.lookup(order.order_id)
            d.clock.go_on(17)
        found = await d.venue.lookup(order.order_id)
        assert isinstance(found, Found)
        price = 49_000 if kind == "lost_ack" else 50_000
        assert found.terms is not None
        assert found.terms.limit_price == Price.of(f"{price}.00000000")


async def test_half_a_change_is_no_end_while_the_other_half_may_come() -> None:
    async with desk() as d:
        order = d.order()
        await d.venue.submit(order)
        d.exchange.cancel(d.exchange.orders[0], f"{order.order_id}_001")
        after = d.new_venue()
        await after.connect()
        with pytest.raises(OutcomeUnknown, match="may still come"):
            await after.lookup(order.order_id)
        d.clock.go_on(17)
        found = await after.lookup(order.order_id)
        assert isinstance(found, Found)
        assert isinstance(found.events[-1], Ended)
        await after.close()


# --- the account, and what must not be shown ----------------------------------


async def test_an_asset_is_a_position_or_a_balance() -> None:
    async with desk(symbols=(BTC, "ETHUSDT")) as d:
        held = {
            each.instrument: each.quantity
            for each in (await d.venue.positions()).positions
        }
        cash = {
            each.currency: each.total.amount
            for each in (await d.venue.balances()).balances
        }
        assert held == {BTC: Decimal(2)}
        assert cash == {"USDT": Decimal(100_000)}
        assert d.venue.instruments[BTC].tick == Decimal("0.01000000")


async def test_a_symbol_that_is_not_there_and_a_wrong_key_are_refused() -> None:
    async with desk(symbols=("NOPE",), connected=False) as d:
        with pytest.raises(VenueRefused, match="-1121"):
            await d.venue.connect()
        with pytest.raises(InputError, match="at least one symbol"):
            d.new_venue(symbols=())
        for wrong in (Credentials(KEY, "no"), Credentials("no", SECRET)):
            venue = d.new_venue(symbols=(BTC,), credentials=wrong)
            with pytest.raises(VenueRefused, match=r"-1022|-2015"):
                await venue.connect()
            await venue.close()


async def failures(d: Desk) -> list[BaseException]:
    """One error of every kind, raised on the way of every request."""
    raised: list[BaseException] = []
    asks: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
        ("submit", lambda: d.venue.submit(d.order())),
        ("account", d.venue.balances),
        ("open_orders", d.venue.open_orders),
    ]
    for kind in answered({**BEFORE, **AFTER}):
        for operation, ask in asks:
            d.simulator.faults.on(kind, operation, count=ATTEMPTS)
            try:
                await ask()
            except VenueError as error:
                raised.append(error)
            d.simulator.faults._waiting.clear()
            d.clock.go_on(100)
    return raised


async def test_nothing_shows_the_secret(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with desk() as d:
        raised = await failures(d)
        shown = [repr(d.venue), repr(vars(d.venue)), repr(vars(d.venue._rest))]
    assert len(raised) > 40
    for error in raised:
        seen: BaseException | None = error
        while seen is not None:
            shown += [str(seen), repr(seen)]
            seen = seen.__cause__ or seen.__context__
    shown += [caplog.text, *capsys.readouterr()]
    assert not [text for text in shown if SECRET in text or KEY in text]
