"""A bracket at a desk that plays each thing that IB may do with it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest
from msgspec.structs import replace

from holdfast_adapters.ib.telling import story
from holdfast_adapters.simulators.ib import Exits, Parked
from holdfast_domain.errors import OutcomeUnknown, VenueRefused
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import Side, TimeInForce
from holdfast_domain.ports import (
    Acked,
    Ended,
    Executed,
    Found,
    NotFound,
    Replaced,
    VenueOrder,
)

from .desk import Office
from .test_lists import stop
from .test_venue import order, trading

PARTLY = [Exits.FULL, Exits.PART, Exits.RESIZED]


def bracket(limit: object = 99, at: object = 97) -> list[VenueOrder]:
    """Buy two at ``limit``, and then sell them at 103, or at 97."""
    legs = [order(1, limit), order(2, 103, side=Side.SELL), stop(3, at)]
    return [
        replace(
            each, leg=Leg(list_id=legs[0].order_id, kind=ListKind.BRACKET, role=role)
        )
        for each, role in zip(legs, ROLES[ListKind.BRACKET], strict=True)
    ]


ENTRY, PROFIT, LOSS = (each.order_id for each in bracket())


def hows(said: Sequence[Any]) -> dict[str, str]:
    return {each.order_id: each.how for each in said if isinstance(each, Ended)}


def filled(desk: Office) -> list[int]:
    """How much of each leg, in their order."""
    orders = {each.asked.order_ref: each for each in desk.desk.orders.values()}
    return [int(orders[name].filled) for name in (ENTRY, PROFIT, LOSS)]


def alive(desk: Office) -> list[str]:
    """What is there of orders, transmitted or not, shown or not."""
    orders = desk.desk.orders.values()
    return [each.asked.order_ref for each in orders if not each.has_ended]


async def held(venue: Any, order_id: str) -> tuple[int, int, list[str]]:
    """The size and the fills that a lookup tells, and how it ended."""
    found = await venue.lookup(order_id)
    assert isinstance(found, Found)
    ends = [each.how for each in found.events if isinstance(each, Ended)]
    assert found.cumulative is not None
    return int(found.quantity.value), int(found.cumulative.value), ends


# --- how it leaves -----------------------------------------------------------------


async def test_children_follow_their_parent_and_the_last_one_sends_them_on() -> None:
    async with trading() as (desk, venue, _):
        await venue.submit_list(bracket())
        asked = [each.asked for each in desk.desk.orders.values()]
        parent = asked[0].order_id
        assert [each.parent_id for each in asked] == [0, parent, parent]
        assert [each.transmit for each in asked] == [False, False, True]
        assert [each.group for each in asked] == [
            f"{ENTRY}/entry",
            f"{ENTRY}/exits",
            f"{ENTRY}/exits",
        ]
        assert [each.status for each in desk.desk.orders.values()] == [
            "Submitted",
            "PreSubmitted",
            "PreSubmitted",
        ]


async def test_an_entry_that_is_filled_at_once_keeps_its_exits() -> None:
    async with trading() as (desk, venue, _):
        said = await venue.submit_list(bracket(limit=101))
        assert [type(each) for each in said] == [Acked] * 3
        assert filled(desk) == [2, 0, 0]
        assert alive(desk) == [PROFIT, LOSS]
        desk.market(103)
        assert filled(desk) == [2, 2, 0]


async def test_an_entry_that_ends_at_once_takes_its_exits_along() -> None:
    async with trading() as (desk, venue, listener):
        entry, *exits = bracket()
        at_once = replace(entry.terms, time_in_force=TimeInForce.IOC)
        await venue.submit_list([replace(entry, terms=at_once), *exits])
        ended = dict.fromkeys((ENTRY, PROFIT, LOSS), "canceled")
        await listener.until(lambda: hows(listener.events) == ended)
        assert alive(desk) == []


# --- what was not transmitted --------------------------------------------------------


@pytest.mark.parametrize("arrived", [1, 2])
@pytest.mark.parametrize("parked", list(Parked))
async def test_what_was_not_transmitted_is_ended(parked: Parked, arrived: int) -> None:
    async with trading() as (desk, venue, _):
        desk.desk.brackets.parked = parked
        desk.simulator.faults.on("lost_request", "submit", skip=arrived)
        with pytest.raises((OutcomeUnknown, ConnectionError)):
            await venue.submit_list(bracket(limit=101))
        await venue.close()
        await venue.connect()
        desk.clock.go_on(venue.promises.processing_bound_s)
        shown = parked is Parked.SHOWN
        for name in (ENTRY, PROFIT, LOSS)[:arrived]:
            found = await venue.lookup(name)
            assert isinstance(found, Found if shown else NotFound)
        for name in (ENTRY, PROFIT, LOSS)[arrived:]:
            assert isinstance(await venue.lookup(name), NotFound)
        assert alive(desk) == []
        assert not desk.desk.executions


async def test_what_ended_untransmitted_need_not_be_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with trading() as (desk, venue, _):
        monkeypatch.setattr(desk.desk, "completed_orders", list)
        desk.simulator.faults.on("lost_request", "submit", skip=1)
        with pytest.raises((OutcomeUnknown, ConnectionError)):
            await venue.submit_list(bracket())
        await venue.close()
        await venue.connect()
        desk.clock.go_on(venue.promises.processing_bound_s)
        assert await held(venue, ENTRY) == (2, 0, ["canceled"])
        assert isinstance(await venue.lookup(PROFIT), NotFound)


async def test_an_entry_that_only_its_fills_show_keeps_its_exits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with trading() as (desk, venue, _):
        monkeypatch.setattr(desk.desk, "completed_orders", list)
        await venue.submit_list(bracket(limit=101))
        await venue.close()
        await venue.connect()
        desk.clock.go_on(venue.promises.processing_bound_s)
        for name in (PROFIT, LOSS):
            assert await held(venue, name) == (2, 0, [])
        assert alive(desk) == [PROFIT, LOSS]


async def test_before_all_shows_nothing_is_ended_by_its_number() -> None:
    async with trading() as (desk, venue, _):
        desk.desk.brackets.parked = Parked.HIDDEN
        desk.simulator.faults.on("lost_request", "submit", skip=1)
        with pytest.raises((OutcomeUnknown, ConnectionError)):
            await venue.submit_list(bracket())
        await venue.close()
        await venue.connect()
        # It is no proof yet, and the engine knows: it asks again.
        assert isinstance(await venue.lookup(ENTRY), NotFound)
        assert alive(desk) == [ENTRY]


async def test_a_number_that_another_order_has_by_now_is_left_alone() -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("lost_request", "submit")
        with pytest.raises((OutcomeUnknown, ConnectionError)):
            await venue.submit_list(bracket())
        desk.desk.next_ids.clear()  # TWS rolls its numbers back
        await venue.close()
        await venue.connect()
        await venue.submit(order(9))
        desk.clock.go_on(venue.promises.processing_bound_s)
        for name in (ENTRY, PROFIT, LOSS):
            assert isinstance(await venue.lookup(name), NotFound)
        assert alive(desk) == [order(9).order_id]


async def test_an_entry_of_another_day_that_is_not_at_work_is_in_doubt() -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("lost_request", "submit", skip=1)
        with pytest.raises((OutcomeUnknown, ConnectionError)):
            await venue.submit_list(bracket())
        await venue.close()
        await venue.connect()
        desk.clock.go_on(24 * 3600)
        with pytest.raises(OutcomeUnknown, match="not at work"):
            await venue.lookup(ENTRY)


@pytest.mark.parametrize("code", [135, 201, 10006])
@pytest.mark.parametrize("parked", list(Parked))
async def test_a_stop_that_is_refused_ends_what_waits_for_it(
    parked: Parked, code: int
) -> None:
    async with trading() as (desk, venue, _):
        desk.desk.brackets.parked = parked
        desk.simulator.faults.on("refused", "submit", skip=2, value=code)
        said = await venue.submit_list(bracket(limit=101))
        ended = {ENTRY: "canceled", PROFIT: "canceled", LOSS: "rejected"}
        assert hows(said) == ended
        assert [each.code for each in said if isinstance(each, Ended)][-1] == str(code)
        assert alive(desk) == []
        assert not desk.desk.executions


async def test_a_take_profit_that_is_refused_ends_what_was_transmitted() -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("refused", "submit", skip=1)
        said = await venue.submit_list(bracket(limit=101))
        # The stop sent its entry on, which was filled: that is told as it is.
        assert hows(said) == {PROFIT: "rejected", LOSS: "canceled"}
        assert [int(each.filled) for each in desk.desk.orders.values()] == [2, 0]
        assert alive(desk) == []


async def test_an_entry_that_is_refused_is_why_nothing_is_there() -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("refused", "submit", value=203)
        with pytest.raises(VenueRefused) as caught:
            await venue.submit_list(bracket())
        assert caught.value.code == "203"  # and not that of the children: 135
        assert alive(desk) == []


# --- an entry that is filled in part -------------------------------------------------


async def test_exits_wait_for_all_of_their_entry() -> None:
    async with trading() as (desk, venue, _):
        await venue.submit_list(bracket())
        desk.market(99, 1)
        for price in (103, 97):
            desk.market(price)
        assert filled(desk) == [2, 0, 0]  # the third price bought the rest


@pytest.mark.parametrize("exits", PARTLY)
async def test_exits_work_for_a_part_and_a_lookup_tells_what_holds(
    exits: Exits,
) -> None:
    async with trading() as (desk, venue, listener):
        desk.desk.brackets.exits = exits
        await venue.submit_list(bracket())
        desk.market(99, 1)
        size = 1 if exits is Exits.RESIZED else 2
        for name in (PROFIT, LOSS):
            assert await held(venue, name) == (size, 0, [])
        desk.market(103)
        sold = 2 if exits is Exits.FULL else 1
        assert filled(desk) == [1, sold, 0]
        assert await held(venue, PROFIT) == (size, sold, [])
        assert await held(venue, LOSS) == (size, 0, ["canceled"])
        assert await held(venue, ENTRY) == (2, 1, [])
        assert set(_sizes(listener)) == ({1} if exits is Exits.RESIZED else set())


async def test_exits_grow_with_their_entry() -> None:
    for exits in (Exits.PART, Exits.RESIZED):
        async with trading() as (desk, venue, _):
            desk.desk.brackets.exits = exits
            await venue.submit_list(bracket())
            desk.market(99, 1)
            desk.market(99, 1)
            assert await held(venue, LOSS) == (2, 0, [])
            desk.market(97)
            assert filled(desk) == [2, 0, 2]
            assert await held(venue, PROFIT) == (2, 0, ["canceled"])


async def test_an_exit_grows_on_when_a_part_of_it_has_traded() -> None:
    async with trading() as (desk, venue, _):
        desk.desk.brackets.exits = Exits.PART
        await venue.submit_list(bracket())
        desk.market(99, 1)
        desk.market(103)
        desk.market(99, 1)
        assert filled(desk) == [2, 1, 0]
        desk.market(103)
        assert filled(desk) == [2, 2, 0]
        assert await held(venue, PROFIT) == (2, 2, [])


async def test_an_exit_that_is_filled_for_less_says_its_size_at_its_end() -> None:
    async with trading() as (desk, venue, listener):
        desk.desk.brackets.exits = Exits.RESIZED
        await venue.submit_list(bracket())
        listener.events.clear()
        # The new sizes of the exits are not told, nor the terms of the one that fills.
        lost = desk.simulator.faults.on("missing", "orders", skip=3, count=7)
        last = desk.simulator.faults.on("missing", "orders", skip=1)
        desk.market(99, 1)
        desk.market(103)
        assert (lost.struck, last.struck) == (7, 1)
        await listener.until(lambda: any(_sizes(listener)))
        assert set(_sizes(listener)) == {1}
        assert await held(venue, PROFIT) == (1, 1, [])


async def test_an_order_that_is_filled_in_parts_is_no_smaller_for_it() -> None:
    async with trading() as (desk, venue, listener):
        await venue.submit(order(9, 99, 3))
        for _ in range(3):
            desk.market(99, 1)
        await listener.until(
            lambda: sum(isinstance(each, Executed) for each in listener.events) == 3
        )
        assert not [e for e in listener.events if isinstance(e, Replaced)]


def _sizes(listener: Any) -> list[int]:
    return [
        int(each.terms.quantity.value)
        for each in listener.events
        if isinstance(each, Replaced) and each.order_id == PROFIT
    ]


@pytest.mark.parametrize("exits", PARTLY)
async def test_to_cancel_an_entry_ends_exits_that_work_for_a_part(
    exits: Exits,
) -> None:
    async with trading() as (desk, venue, _):
        desk.desk.brackets.exits = exits
        await venue.submit_list(bracket())
        desk.market(99, 1)
        said = await venue.cancel(ENTRY)
        assert hows(said) == dict.fromkeys((ENTRY, PROFIT, LOSS), "canceled")
        assert alive(desk) == []
        assert filled(desk) == [1, 0, 0]


@pytest.mark.parametrize("exits", PARTLY)
async def test_exits_that_live_on_behind_an_entry_that_ended_are_told(
    exits: Exits,
) -> None:
    async with trading() as (desk, venue, listener):
        desk.desk.brackets.exits = exits
        await venue.submit_list(bracket())
        desk.market(99, 1)
        # A person cancels the entry in TWS.
        key = next(iter(desk.desk.orders))
        desk.desk.cancel(*key)
        await listener.until(lambda: hows(listener.events) == {ENTRY: "canceled"})
        size = 2 if exits is Exits.FULL else 1
        for name in (PROFIT, LOSS):
            assert await held(venue, name) == (size, 0, [])
        desk.market(97)
        assert filled(desk) == [1, 0, size]
        assert await held(venue, LOSS) == (size, size, [])


async def test_the_fills_of_all_legs_are_told_in_their_order() -> None:
    async with trading() as (desk, venue, _):
        desk.desk.brackets.exits = Exits.FULL
        await venue.submit_list(bracket())
        desk.market(99, 1)
        desk.market(97)
        fills = (await venue.executions_since("")).events
        assert [each.order_id for each in fills] == [ENTRY, LOSS, ENTRY]
        assert [type(each) for each in fills] == [Executed] * 3


async def test_a_canceled_exit_of_no_size_is_ours_all_the_same() -> None:
    async with trading() as (desk, venue, _):
        await venue.submit_list(bracket())
        _, completed, _ = await venue.ask(venue.there().whole)
        opened, _, _ = await venue.ask(venue.there().whole)
        assert not completed
        row = attrs.evolve(opened[1], quantity=Decimal(0), status="Cancelled")
        told = story(PROFIT, row, [], venue.names)
        assert [type(each) for each in told] == [Acked, Ended]
        assert desk.desk.open_orders()
