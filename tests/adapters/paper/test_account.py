"""What the paper venue says of the account: orders that work, positions and cash."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from holdfast_adapters.matching import FillModel
from holdfast_adapters.paper import PaperVenue
from holdfast_domain.cursor import SLICE_SLOT, cursor_at
from holdfast_domain.errors import NotSent
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Money, Price
from holdfast_domain.ports import Balances, Found, OpenOrders, Positions

from .test_venue import DATA, advance_cursor, order_at

OPENING = Decimal(10_000)


async def account_at(path: Path | None) -> PaperVenue:
    instruments = {"SPY": Instrument(symbol="SPY", multiplier=Decimal(2))}
    model = FillModel(commission=Decimal("0.001"))
    opening = {"USD": OPENING}
    venue = PaperVenue(DATA, instruments, model, path=path, opening=opening)
    await venue.connect()
    return venue


async def holding(venue: PaperVenue) -> dict[str, Decimal]:
    held = (await venue.positions()).positions
    return {each.instrument: each.quantity for each in held}


async def cash(venue: PaperVenue) -> Sequence[Money]:
    return [each.total for each in (await venue.balances()).balances]


async def working(venue: PaperVenue) -> list[Found]:
    return list((await venue.open_orders()).orders)


@pytest.mark.parametrize("in_memory", [True, False])
async def test_positions_and_cash_are_the_sum_of_the_executions(
    tmp_path: Path, in_memory: bool
) -> None:
    venue = await account_at(None if in_memory else tmp_path / "venue.sqlite")
    await venue.advance(advance_cursor(0), 0)
    await venue.submit(order_at(0))
    assert await holding(venue) == {}
    assert await cash(venue) == [Money(OPENING, "USD")]
    await venue.advance(advance_cursor(1), 1)
    (position,) = (await venue.positions()).positions
    assert (position.instrument, position.quantity) == ("SPY", Decimal(10))
    assert position.average_price == Price.of("101.0")
    # Ten units of twice 101, and a thousandth of that.
    assert await cash(venue) == [Money(Decimal("7977.98"), "USD")]
    await venue.close()


async def test_an_order_is_open_from_its_ack_to_its_last_fill() -> None:
    venue = await account_at(None)
    await venue.advance(advance_cursor(0), 0)
    order = order_at(0)
    await venue.submit(order)
    await venue.submit(order_at(0, "rests", limit="10"))
    first, rests = await working(venue)
    assert (first.order_id, first.venue_order_id) == ("a", "V1")
    assert (first.terms, first.instrument) == (order.terms, "SPY")
    await venue.advance(advance_cursor(1), 1)
    assert await working(venue) == [rests]
    await venue.cancel("rests")
    assert await working(venue) == []


async def test_what_is_hidden_has_not_happened_yet(tmp_path: Path) -> None:
    venue = await account_at(tmp_path / "venue.sqlite")
    await venue.advance(advance_cursor(0), 0)
    await venue.submit(order_at(0))
    before = [await venue.open_orders(), await venue.positions()]
    await venue.advance(advance_cursor(1), 1)
    after = await venue.balances()
    await venue.resume(cursor_at(0, SLICE_SLOT))
    assert [await venue.open_orders(), await venue.positions()] == before
    assert await cash(venue) == [Money(OPENING, "USD")]
    await venue.advance(advance_cursor(1), 1)
    assert await venue.balances() == after
    await venue.close()


async def test_all_three_answers_name_the_state_that_they_show() -> None:
    venue = await account_at(None)
    await venue.advance(advance_cursor(0), 0)
    await venue.submit(order_at(0))
    await venue.advance(advance_cursor(1), 1)
    answers: list[OpenOrders | Positions | Balances] = [
        await venue.open_orders(),
        await venue.positions(),
        await venue.balances(),
    ]
    assert {each.watermark for each in answers} == {"X1"}
    assert {each.at for each in answers} == {utc_from_us(DATA.times_us[1])}


async def test_without_a_session_nothing_is_asked(tmp_path: Path) -> None:
    venue = await account_at(tmp_path / "venue.sqlite")
    await venue.close()
    for question in (venue.open_orders, venue.positions, venue.balances):
        with pytest.raises(NotSent, match="connect first"):
            await question()
