"""What the paper venue promises: durable answers, proofs of absence, no order twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import trio
from msgspec.structs import replace

from holdfast_adapters.matching import FillAt, FillModel
from holdfast_adapters.paper import PaperVenue
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, START, cursor_at
from holdfast_domain.errors import DuplicateOrder, NotSent, VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import BarColumns, MarketData
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import (
    Ended,
    Executed,
    Found,
    NotFound,
    VenueEvent,
    VenueOrder,
)

STEPS = 6
OPENED = datetime(2024, 1, 2, tzinfo=UTC)


def market() -> MarketData:
    """Daily bars that open at 100, 101, ... and close half above."""
    opens = [100.0 + number for number in range(STEPS)]
    frame = pl.DataFrame(
        {
            "timestamp": [OPENED + timedelta(days=n) for n in range(STEPS)],
            "open": opens,
            "high": [price + 1 for price in opens],
            "low": [price - 1 for price in opens],
            "close": [price + 0.5 for price in opens],
            "volume": [1000.0] * STEPS,
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return MarketData({"SPY": BarColumns("SPY", frame)})


DATA = market()


def venue_at(path: Path | None, model: FillModel | None = None) -> PaperVenue:
    instruments = {"SPY": Instrument(symbol="SPY", multiplier=Decimal(2))}
    model = model or FillModel(commission=Decimal("0.001"))
    return PaperVenue(DATA, instruments, model, path=path)


def found(answer: Found | NotFound) -> Sequence[VenueEvent]:
    """Return the events of an order that the venue has."""
    assert isinstance(answer, Found), answer
    return answer.events


async def connected(path: Path | None) -> PaperVenue:
    venue = venue_at(path)
    await venue.connect()
    return venue


def order_at(step: int, name: str = "a", limit: str | None = None) -> VenueOrder:
    terms = OrderTerms(instrument="SPY", side=Side.BUY, quantity=Quantity.of(10))
    if limit:
        price = Price.of(limit)
        terms = replace(terms, type=OrderType.LIMIT, limit_price=price)
    return VenueOrder(order_id=name, terms=terms, placed_at_us=DATA.times_us[step])


def advance_cursor(step: int) -> int:
    return cursor_at(step, ADVANCE_SLOT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "venue-paper.sqlite"


async def test_what_was_answered_is_in_the_file(path: Path) -> None:
    venue = await connected(path)
    await venue.advance(advance_cursor(0), 0)
    await venue.submit(order_at(0))
    await venue.advance(advance_cursor(1), 1)
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT number, cursor, kind, order_id FROM events")
        assert rows.fetchall() == [
            (1, advance_cursor(0), "submitted", "a"),
            (2, advance_cursor(0), "acked", "a"),
            (3, advance_cursor(1), "advanced", ""),
            (4, advance_cursor(1), "executed", "a"),
        ]
        bodies = file.execute("SELECT body FROM events WHERE number IN (1, 4)")
        submitted, executed = (json.loads(body) for (body,) in bodies)
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert submitted == {
        "instrument": "SPY",
        "side": "buy",
        "quantity": "10",
        "type": "market",
        "time_in_force": "gtc",
        "limit_price": None,
        "stop_price": None,
        "reduce_only": False,
        "post_only": False,
        "placed_at_us": DATA.times_us[0],
    }
    assert executed == {
        "execution_id": "X1",
        "quantity": "10",
        "price": "101.0",
        "fee": {"amount": "2.0200", "currency": "USD"},
        "filled_at": "2024-01-02T00:00:00+00:00",
        "cumulative": "10",
    }
    await venue.close()


async def test_an_advance_takes_every_bar_since_the_last_one() -> None:
    venue = await connected(None)
    await venue.submit(order_at(0, limit="104"))
    await venue.submit(order_at(0, "b", limit="10"))
    (fill,) = await venue.advance(advance_cursor(5), 5)
    assert isinstance(fill, Executed)
    assert fill.price == Price.of("101.0")


async def test_a_venue_that_is_ahead_hides_it_and_says_it_again(path: Path) -> None:
    venue = await connected(path)
    await venue.advance(advance_cursor(0), 0)
    await venue.submit(order_at(0))
    said = await venue.advance(advance_cursor(1), 1)
    await venue.close()
    venue = await connected(path)
    await venue.resume(cursor_at(0, SLICE_SLOT))
    assert [type(event).__name__ for event in found(await venue.lookup("a"))] == [
        "Acked"
    ]
    assert list((await venue.executions_since("")).events) == []
    assert list((await venue.positions()).positions) == []
    await venue.submit(order_at(0, "late"))
    (first, late) = await venue.advance(advance_cursor(1), 1)
    assert [first] == list(said)
    assert isinstance(late, Executed)
    assert (late.order_id, late.price) == ("late", Price.of("101.0"))
    assert list((await venue.executions_since("X1")).events) == [late]
    assert list(await venue.advance(advance_cursor(1), 1)) == [first, late]
    await venue.close()


async def test_an_advance_over_several_hidden_ones_says_what_all_said(
    path: Path,
) -> None:
    venue = await connected(path)
    await venue.submit(order_at(0))
    said = list(await venue.advance(advance_cursor(1), 1))
    await venue.submit(order_at(1, "b"))
    said += await venue.advance(advance_cursor(2), 2)
    for last in (2, 5):
        await venue.resume(cursor_at(0, SLICE_SLOT))
        assert list(await venue.advance(advance_cursor(last), last)) == said
    await venue.close()


async def test_a_venue_wants_data_while_it_works_or_is_ahead(path: Path) -> None:
    venue = venue_at(path)
    wants = [venue.wants_data]
    await venue.connect()
    wants.append(venue.wants_data)
    await venue.submit(order_at(0))
    wants.append(venue.wants_data)
    await venue.advance(advance_cursor(1), 1)
    wants.append(venue.wants_data)
    await venue.resume(cursor_at(0, SLICE_SLOT))
    wants.append(venue.wants_data)
    await venue.advance(advance_cursor(5), 5)
    wants.append(venue.wants_data)
    assert wants == [True, False, True, False, True, False]
    await venue.close()


async def test_bars_that_were_never_matched_are_after_a_resume(path: Path) -> None:
    for last in (1, 3):
        venue = await connected(path)
        await venue.advance(advance_cursor(0), 0)
        await venue.submit(order_at(0, f"until {last}"))
        await venue.resume(advance_cursor(last))
        (fill,) = await venue.advance(advance_cursor(last), last)
        assert isinstance(fill, Executed)
        assert fill.price == Price.of("101.0")
        await venue.close()
        await trio.Path(path).unlink()


async def test_a_reopened_venue_goes_on_where_it_was(path: Path) -> None:
    venue = await connected(path)
    await venue.submit(order_at(0))
    await venue.advance(advance_cursor(1), 1)
    await venue.submit(order_at(1, "b"))
    await venue.close()
    await venue.connect()
    (fill,) = await venue.advance(advance_cursor(5), 5)
    assert isinstance(fill, Executed)
    assert fill.price == Price.of("102.0")
    await venue.close()


async def test_an_advance_again_says_nothing_of_the_requests_after_it() -> None:
    venue = await connected(None)
    await venue.submit(order_at(0))
    await venue.submit(order_at(0, "b", limit="50"))
    said = await venue.advance(advance_cursor(1), 1)
    await venue.replace("b", order_at(0, limit="51").terms)
    await venue.cancel("b")
    assert list(await venue.advance(advance_cursor(1), 1)) == list(said)


async def test_an_order_that_is_hidden_or_never_came_is_absent(path: Path) -> None:
    venue = await connected(path)
    await venue.advance(advance_cursor(1), 1)
    await venue.submit(order_at(1))
    await venue.resume(START)
    assert await venue.lookup("a") == NotFound()
    assert await venue.lookup("never") == NotFound()
    await venue.advance(advance_cursor(1), 1)
    assert found(await venue.lookup("a"))
    await venue.close()


async def test_an_id_is_refused_again_after_a_restart(path: Path) -> None:
    venue = await connected(path)
    await venue.submit(order_at(0))
    await venue.close()
    venue = await connected(path)
    with pytest.raises(DuplicateOrder):
        await venue.submit(order_at(0))
    assert len(found(await venue.lookup("a"))) == 1
    await venue.close()


async def test_what_is_refused_leaves_no_trace(path: Path) -> None:
    venue = await connected(path)
    order = order_at(0)
    for wrong in ({"instrument": "QQQ"}, {"quantity": Quantity.of("0.5")}):
        terms = replace(order.terms, **wrong)
        with pytest.raises(VenueRefused):
            await venue.submit(replace(order, terms=terms))
    with pytest.raises(VenueRefused):
        await venue.cancel("a")
    assert await venue.lookup("a") == NotFound()
    await venue.close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM events").fetchone() == (0,)


async def test_a_cancel_and_new_terms_survive_a_restart(path: Path) -> None:
    venue = await connected(path)
    await venue.submit(order_at(0, limit="50"))
    await venue.submit(order_at(0, "b", limit="50"))
    await venue.cancel("a")
    await venue.replace("b", order_at(0, limit="103").terms)
    await venue.close()
    venue = await connected(path)
    (ended,) = found(await venue.lookup("a"))[1:]
    assert isinstance(ended, Ended)
    (fill,) = await venue.advance(advance_cursor(1), 1)
    assert fill.order_id == "b"
    await venue.close()


async def test_new_terms_that_come_inside_a_bar_hold_from_the_next() -> None:
    venue = await connected(None)
    await venue.advance(advance_cursor(0), 0)
    await venue.submit(order_at(0, limit="50"))
    inside_us = DATA.times_us[0] + 1
    await venue.replace("a", order_at(0, limit="110").terms, at_us=inside_us)
    assert list(await venue.advance(advance_cursor(1), 1)) == []
    assert len(await venue.advance(advance_cursor(2), 2)) == 1


async def test_at_this_close_an_order_fills_with_the_answer(path: Path) -> None:
    venue = venue_at(path, model=FillModel(fill=FillAt.THIS_CLOSE))
    await venue.connect()
    await venue.advance(advance_cursor(0), 0)
    _, fill = await venue.submit(order_at(0))
    assert isinstance(fill, Executed)
    assert fill.price == Price.of("100.5")
    assert list(await venue.advance(advance_cursor(0), 0)) == []
    await venue.close()
    await venue.connect()
    _, fill = await venue.submit(order_at(0, "b"))
    assert isinstance(fill, Executed)
    assert fill.price == Price.of("100.5")
    await venue.close()


async def test_without_a_session_nothing_is_sent(path: Path) -> None:
    venue = venue_at(path)
    with pytest.raises(NotSent, match="connect first"):
        await venue.submit(order_at(0))
    with pytest.raises(NotSent, match="venue in memory"):
        venue.advance_now(advance_cursor(0), 0)
    with pytest.raises(NotSent, match="venue in memory"):
        venue.submit_now(order_at(0))
    await venue.close()


async def test_a_watermark_of_another_venue_is_refused() -> None:
    with pytest.raises(VenueRefused):
        await venue_at(None).executions_since("T-17")
