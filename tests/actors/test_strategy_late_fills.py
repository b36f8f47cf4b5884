"""A fill that comes after its order has ended is told like any other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from holdfast_actors.strategy.orders import Desk
from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, Side

ID = "0" * 31 + "1"
TERMS = OrderTerms(instrument="SPY", side=Side.BUY, quantity=Quantity(Decimal(5)))


def filled(units: int, *, complete: bool) -> ev.OrderFilled:
    fill = Fill(
        execution_id=f"X{units}",
        order_id=ID,
        strategy="s",
        instrument="SPY",
        side=Side.BUY,
        quantity=Quantity(Decimal(units)),
        price=Price(Decimal(10)),
        fee=Money(Decimal(0), "USD"),
        filled_at=datetime(2024, 1, 2, tzinfo=UTC),
    )
    return ev.OrderFilled(fill=fill, complete=complete)


@pytest.fixture
def desk() -> Desk:
    instrument = Instrument(symbol="SPY", currency="USD")
    desk = Desk(engine=1, epoch=1, index=1, instruments={"SPY": instrument})
    desk.apply(
        ev.OrderIntended(
            order_id=ID,
            strategy="s",
            decision=1,
            index=0,
            venue="paper",
            terms=TERMS,
            reserved=Money(Decimal(50), "USD"),
            valid_until_us=0,
        )
    )
    return desk


def test_a_fill_after_the_end_of_its_order_is_told(desk: Desk) -> None:
    desk.apply(ev.OrderExpired(order_id=ID, strategy="s"))

    view = desk.apply(filled(2, complete=False))

    assert view is not None
    assert (float(view.filled), view.status) == (2.0, "expired")
    assert desk.open == {}


def test_more_than_was_ordered_is_told(desk: Desk) -> None:
    desk.apply(filled(5, complete=True))

    view = desk.apply(filled(1, complete=True))

    assert view is not None
    assert (float(view.filled), view.status) == (6.0, "filled")
    assert desk.open == {}


def test_a_fill_of_an_order_that_ended_before_a_snapshot_is_told(desk: Desk) -> None:
    desk.apply(filled(2, complete=False))
    desk.apply(ev.OrderExpired(order_id=ID, strategy="s"))
    saved = json.loads(json.dumps(desk.save()))

    desk.load(saved)
    view = desk.apply(filled(1, complete=False))

    assert saved[0]["status"] == "expired"
    assert view is not None
    assert (float(view.filled), view.status) == (3.0, "expired")
    assert desk.open == {}
    assert [each["filled"] for each in desk.save()] == ["3"]


def test_a_snapshot_of_an_older_version_has_open_orders_alone(desk: Desk) -> None:
    saved = desk.save()
    del saved[0]["status"]

    desk.load(saved)

    assert list(desk.open) == [ID]
