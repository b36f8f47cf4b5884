"""An OCO at a desk that judges each leg alone, and may not bind them as it says."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from holdfast_adapters.ib.library import in_one_write, new_client
from holdfast_adapters.simulators.ib import brackets
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import Acked, Ended, Found, VenueOrder

from .test_venue import order, trading


def stop(number: int, at: object) -> VenueOrder:
    made = OrderTerms(
        instrument="AAPL",
        side=Side.SELL,
        quantity=Quantity.of("2"),
        type=OrderType.STOP,
        stop_price=Price.of(str(at)),
    )
    return replace(order(number), terms=made)


def oco(first: int = 1, limit: object = 103, at: object = 97) -> list[VenueOrder]:
    profit = order(first, limit, side=Side.SELL)
    legs = [profit, stop(first + 1, at)]
    return [
        replace(each, leg=Leg(list_id=profit.order_id, kind=ListKind.OCO, role=role))
        for each, role in zip(legs, ROLES[ListKind.OCO], strict=True)
    ]


def told(said: Any) -> list[tuple[str, str]]:
    names = {
        each.order_id: word
        for each, word in zip(oco(), ("profit", "loss"), strict=True)
    }
    return [
        (names[each.order_id], each.how if isinstance(each, Ended) else "acked")
        for each in said
    ]


async def test_both_legs_are_in_one_group_which_their_list_names() -> None:
    async with trading() as (desk, venue, _):
        await venue.submit_list(oco())
        asked = [each for each in desk.simulator.heard if each[0] == "3"]
        name = oco()[0].order_id
        assert [each.group for each in _asked(desk)] == [name, name]
        assert [each.group_type for each in _asked(desk)] == [1, 1]
        assert len(asked) == 2


def _asked(desk: Any) -> list[Any]:
    return [each.asked for each in desk.desk.orders.values()]


def test_what_is_sent_together_is_written_once_or_not_at_all() -> None:
    client = new_client(None, lambda _why: None)
    written: list[bytes] = []

    class Transport:
        write = staticmethod(written.append)

    client.conn.transport = Transport()
    with in_one_write(client):
        client.conn.sendMsg(b"one")
        client.conn.sendMsg(b"two")
        assert not written
    assert written == [b"onetwo"]

    def torn() -> None:
        with in_one_write(client):
            client.conn.sendMsg(b"three")
            raise ValueError

    with pytest.raises(ValueError):
        torn()
    client.conn.sendMsg(b"four")
    assert written == [b"onetwo", b"four"]


async def test_a_stop_that_came_after_its_take_profit_was_filled_is_canceled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with trading() as (desk, venue, _):
        # A TWS that lets an order into a group which has done its work.
        monkeypatch.setattr(desk.desk.brackets, "check_group", lambda _group: None)
        said = await venue.submit_list(oco(limit=99))
        assert ("loss", "canceled") in told(said)
        assert not desk.desk.open_orders()
        assert {each.filled for each in desk.desk.orders.values()} == {0, 2}


async def test_to_cancel_one_leg_cancels_the_other_where_tws_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(brackets, "leg_of", lambda _asked, _terms: None)
    async with trading() as (desk, venue, _):
        await venue.submit(order(9))
        await venue.submit_list(oco())
        said = await venue.cancel(oco()[1].order_id)
        assert told(said) == [("loss", "canceled"), ("profit", "canceled")]
        assert [each.asked.order_ref for each in desk.desk.open_orders()] == [
            order(9).order_id
        ]


async def test_a_leg_that_cannot_be_ended_with_its_list_is_in_doubt() -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("refused", "submit", skip=1)
        desk.simulator.faults.on("refused", "cancel", value=161)
        with pytest.raises(OutcomeUnknown, match="is to end with its list"):
            await venue.submit_list(oco())
        # It is looked up, and ended once it is proven that it is alone.
        desk.clock.go_on(venue.promises.processing_bound_s)
        found = await venue.lookup(oco()[0].order_id)
        assert isinstance(found, Found)
        assert [each.how for each in found.events if isinstance(each, Ended)] == [
            "canceled"
        ]
        assert not desk.desk.open_orders()


async def test_a_list_of_which_all_is_refused_is_not_there() -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("refused", "submit", count=2)
        with pytest.raises(VenueRefused) as caught:
            await venue.submit_list(oco())
        assert caught.value.code == "201"
        desk.simulator.faults.on("refused", "submit", value=103, count=2)
        with pytest.raises(NotSent):
            await venue.submit_list(oco())
        said = await venue.submit_list(oco())
        assert [type(each) for each in said] == [Acked, Acked]


async def test_a_lookup_leaves_a_whole_list_alone() -> None:
    async with trading() as (desk, venue, _):
        await venue.submit_list(oco())
        for _ in range(2):
            for each in oco():
                found = await venue.lookup(each.order_id)
                assert isinstance(found, Found)
                assert found.terms == each.terms
            desk.clock.go_on(60)
        assert len(desk.desk.open_orders()) == 2


async def test_a_leg_whose_other_one_may_be_of_another_day_is_left_alone() -> None:
    async with trading() as (desk, venue, _):
        await venue.submit_list(oco()[:1])
        desk.clock.go_on(24 * 3600)
        found = await venue.lookup(oco()[0].order_id)
        assert isinstance(found, Found)
        assert len(desk.desk.open_orders()) == 1
