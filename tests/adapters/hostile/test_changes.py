"""What a venue changes of an execution is told, and shown wherever one asks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from holdfast_adapters.hostile import HostileVenue, Op, VenueFault
from holdfast_adapters.matching import FillModel
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at
from holdfast_domain.money import Quantity
from holdfast_domain.ports import Busted, Corrected, Ended, Executed, Found

from .test_elsewhere import at_once, venue_with


def changed(kind: str) -> tuple[HostileVenue, list[object]]:
    """Return a venue that has bought ten and changes that, and what it told next."""
    venue = venue_with(VenueFault(kind=kind, op=Op.STREAM, nth=1, size=2))
    return venue, list(at_once(venue.advance(cursor_at(2, ADVANCE_SLOT), 2)))


def test_an_execution_that_was_taken_back_is_held_no_more() -> None:
    venue, told = changed("busted_fill")

    bust, end = told
    assert isinstance(bust, Busted)
    assert isinstance(end, Ended)
    assert (bust.order_id, end.cumulative) == ("a", Quantity.of(0))
    assert at_once(venue.positions()).positions == []
    assert at_once(venue.balances()).balances[0].total.amount == Decimal(10_000)
    found = at_once(venue.lookup("a"))
    assert isinstance(found, Found)
    assert found.cumulative == Quantity.of(0)
    assert list(found.events[-2:]) == told


def test_a_corrected_price_moves_cash_and_no_position() -> None:
    venue, (event,) = changed("corrected_fill")

    assert isinstance(event, Corrected)
    (fill,) = venue.core.executions_since("").events
    assert isinstance(fill, Executed)
    assert event.price.value == fill.price.value + Decimal("0.02")
    assert at_once(venue.positions()).positions[0].quantity == Decimal(10)
    before = venue.core.balances().balances[0].total.amount
    now = at_once(venue.balances()).balances[0].total.amount
    assert now == before - Decimal("0.2")


@pytest.mark.parametrize("kind", ["busted_fill", "corrected_fill"])
def test_the_list_of_executions_shows_the_change_as_well(kind: str) -> None:
    venue, told = changed(kind)

    listed = at_once(venue.executions_since("")).events

    assert [type(each) for each in listed] == [Executed, type(told[0])]
    assert [row[0] for row in venue.changes.written()] in (["busted"], ["corrected"])


def test_an_order_may_end_short_and_only_a_lookup_tells() -> None:
    model = FillModel(participation=Decimal("0.006"))
    venue = venue_with(
        VenueFault(kind="busted_fill", op=Op.STREAM, nth=1, size=2), model=model
    )
    (working,) = at_once(venue.open_orders()).orders
    assert working.cumulative == Quantity.of(0)

    told = [
        event
        for step in (2, 3)
        for event in at_once(venue.advance(cursor_at(step, ADVANCE_SLOT), step))
    ]

    (bust,) = [each for each in told if isinstance(each, Busted)]
    assert not any(isinstance(each, Ended) for each in told)
    found = at_once(venue.lookup("a"))
    assert isinstance(found, Found)
    *_, again, end = found.events
    assert again == bust
    assert isinstance(end, Ended)
    assert end.cumulative == found.cumulative
    assert at_once(venue.open_orders()).orders == []


def test_an_execution_changes_once() -> None:
    venue, _ = changed("busted_fill")
    (fill,) = venue.core.executions_since("").events
    assert isinstance(fill, Executed)
    fault = VenueFault(kind="corrected_fill", op=Op.STREAM, nth=2)

    assert venue.changes.make(fault, fill) == []
