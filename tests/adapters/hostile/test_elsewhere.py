"""What else happens in an account: the hostile venue shows it as a real one does."""

from __future__ import annotations

from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from tests.adapters.paper.test_venue import DATA

from holdfast_adapters.hostile import HostileVenue, Op, VenueFault
from holdfast_adapters.matching import FillModel
from holdfast_adapters.paper.core import PaperCore
from holdfast_adapters.paper.world import World, opened_at_us_of
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at
from holdfast_domain.errors import NotSent, OutcomeUnknown
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import Money, Quantity
from holdfast_domain.orders import OrderTerms, Side
from holdfast_domain.ports import Ended, Executed, Found, VenueOrder

T = TypeVar("T")


def at_once(request: Coroutine[Any, Any, T]) -> T:
    """Return what a request that waits for nothing returns."""
    try:
        request.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("it waits")


def venue_with(
    *faults: VenueFault,
    model: FillModel = FillModel(),  # noqa: B008 - frozen
) -> HostileVenue:
    """Return a venue that has bought ten for the order ``a``."""
    world = World(
        data=DATA,
        instruments={"SPY": Instrument(symbol="SPY")},
        model=model,
        opened_at_us=opened_at_us_of(DATA),
        opening={"USD": Decimal(10_000)},
    )
    venue = HostileVenue(PaperCore(world), faults)
    at_once(venue.advance(cursor_at(0, ADVANCE_SLOT), 0))
    terms = OrderTerms(instrument="SPY", side=Side.BUY, quantity=Quantity.of(10))
    order = VenueOrder(order_id="a", terms=terms, placed_at_us=DATA.times_us[0])
    at_once(venue.submit(order))
    at_once(venue.advance(cursor_at(1, ADVANCE_SLOT), 1))
    return venue


def test_a_lie_is_an_illegal_one_for_the_order_of_which_it_is_told() -> None:
    """Two orders are filled at once: the terms of the other would be a legal lie."""
    venue = venue_with(VenueFault(kind="illegal", op=Op.STREAM, nth=2))
    for name, quantity in (("b", 3), ("c", 7)):
        terms = OrderTerms(
            instrument="SPY", side=Side.BUY, quantity=Quantity.of(quantity)
        )
        order = VenueOrder(order_id=name, terms=terms, placed_at_us=DATA.times_us[1])
        at_once(venue.submit(order))

    told = at_once(venue.advance(cursor_at(2, ADVANCE_SLOT), 2))

    lie, *fills = told
    assert isinstance(lie, Ended)
    assert lie.order_id == "b"
    assert [each.order_id for each in fills] == ["b", "c"]


def test_a_trade_of_another_hand_is_listed_and_held() -> None:
    venue = venue_with()
    before = at_once(venue.positions()).watermark
    venue.elsewhere.trade("SPY", Side.SELL, Decimal(4), Decimal(102), "USD")
    ours, theirs = at_once(venue.executions_since("")).events
    assert isinstance(ours, Executed)
    assert isinstance(theirs, Executed)
    assert (ours.order_id, theirs.order_id) == ("a", "paper-hand-1")
    assert (theirs.instrument, theirs.side) == ("SPY", Side.SELL)
    (position,) = at_once(venue.positions()).positions
    assert position.quantity == Decimal(6)
    (balance,) = at_once(venue.balances()).balances
    assert balance.total == Money(Decimal(10_000 - 10 * 101 + 4 * 102), "USD")
    assert at_once(venue.positions()).watermark != before
    assert len(venue.truth()) == len(venue.core.rows) + 2


def test_a_transfer_moves_cash_and_nothing_else() -> None:
    venue = venue_with()
    held = at_once(venue.positions())
    venue.elsewhere.transfer(Money(Decimal(-50), "USD"))
    venue.elsewhere.transfer(Money(Decimal(3), "EUR"))
    usd, eur = at_once(venue.balances()).balances
    assert usd.total == Money(Decimal(10_000 - 10 * 101 - 50), "USD")
    assert eur.total == Money(Decimal(3), "EUR")
    assert at_once(venue.positions()) == held


def test_an_order_of_another_hand_works_until_it_is_withdrawn() -> None:
    venue = venue_with()
    theirs = Found(
        venue_order_id="M1",
        instrument="SPY",
        side=Side.BUY,
        quantity=Quantity.of(1),
        placed_at_us=0,
        cumulative=None,
        events=(),
    )
    venue.elsewhere.place(theirs)
    assert list(at_once(venue.open_orders()).orders) == [theirs]
    venue.elsewhere.withdraw("M1")
    assert list(at_once(venue.open_orders()).orders) == []


@pytest.mark.parametrize(
    ("kind", "error"), [("busy", NotSent), ("lost_request", OutcomeUnknown)]
)
def test_a_question_about_the_account_can_fail(
    kind: str, error: type[Exception]
) -> None:
    venue = venue_with(VenueFault(kind=kind, op=Op.ACCOUNT, nth=2))
    at_once(venue.open_orders())
    with pytest.raises(error):
        at_once(venue.positions())
    assert at_once(venue.balances()).balances
