"""What the paper venue does when its file does not do what it should."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest
import trio
from msgspec.structs import replace
from trio.testing import wait_all_tasks_blocked

from holdfast_adapters.matching import FillModel
from holdfast_adapters.paper import PaperVenue
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, cursor_at
from holdfast_domain.errors import (
    InputError,
    JournalTooNew,
    NotSent,
    OutcomeUnknown,
)
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import BarColumns, MarketData
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import Executed, Found, NotFound, ThreadHost, VenueOrder

T = TypeVar("T")
STEPS = 4


def market() -> MarketData:
    """Daily bars that open at 100, 101, ... and go down by one."""
    opens = [100.0 + number for number in range(STEPS)]
    start = datetime(2024, 1, 2, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "timestamp": [start + timedelta(days=n) for n in range(STEPS)],
            "open": opens,
            "high": opens,
            "low": [price - 1 for price in opens],
            "close": opens,
            "volume": [1000.0] * STEPS,
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return MarketData({"SPY": BarColumns("SPY", frame)})


DATA = market()


class Threads:
    """A thread host: one call at a time, in order; it can hold calls back."""

    def __init__(self) -> None:
        self.gate = trio.Event()
        self.gate.set()
        self.turn = trio.StrictFIFOLock()

    async def run(self, call: Callable[..., T], *args: object, deadline_s: float) -> T:
        assert deadline_s > 0
        async with self.turn:
            await self.gate.wait()
            return await trio.to_thread.run_sync(call, *args)

    def hold(self) -> None:
        self.gate = trio.Event()


class Abandoned(Threads):
    """A thread host whose every call takes too long, though it is done at last."""

    async def run(self, call: Callable[..., T], *args: object, deadline_s: float) -> T:
        await super().run(call, *args, deadline_s=deadline_s)
        raise TimeoutError


async def connected(path: Path, host: ThreadHost | None = None) -> PaperVenue:
    instruments = {"SPY": Instrument(symbol="SPY")}
    venue = PaperVenue(DATA, instruments, FillModel(), path=path, host=host)
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


def refuse_inserts(path: Path, *, refuse: bool) -> None:
    """Make the file refuse every new row, as a full disk would; or stop it."""
    statement = (
        "CREATE TRIGGER no BEFORE INSERT ON events BEGIN "
        "SELECT RAISE(ABORT, 'disk is full'); END"
    )
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(statement if refuse else "DROP TRIGGER no")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "venue-paper.sqlite"


@pytest.fixture
def rubbish(path: Path) -> Path:
    path.write_bytes(b"rubbish\n" * 1000)
    return path


async def test_a_failed_commit_does_not_show_what_is_hidden(path: Path) -> None:
    venue = await connected(path)
    await venue.submit(order_at(0))
    await venue.advance(advance_cursor(1), 1)
    await venue.resume(cursor_at(0, SLICE_SLOT))
    refuse_inserts(path, refuse=True)
    with pytest.raises(NotSent):
        await venue.submit(order_at(0, "b"))
    assert list((await venue.executions_since("")).events) == []
    await venue.close()


@pytest.mark.parametrize("threaded", [False, True])
async def test_a_commit_that_fails_leaves_the_venue_as_it_was(
    path: Path, threaded: bool
) -> None:
    venue = await connected(path, Threads() if threaded else None)
    await venue.submit(order_at(0, limit="104"))
    refuse_inserts(path, refuse=True)
    with pytest.raises(NotSent, match="disk is full"):
        await venue.submit(order_at(0, "b"))
    with pytest.raises(NotSent):
        await venue.cancel("a")
    with pytest.raises(NotSent):
        await venue.advance(advance_cursor(3), 3)
    assert await venue.lookup("b") == NotFound()
    assert list((await venue.positions()).positions) == []
    refuse_inserts(path, refuse=False)
    (fill,) = await venue.advance(advance_cursor(3), 3)
    assert isinstance(fill, Executed)
    assert fill.price == Price.of("101.0")
    assert len(await venue.submit(order_at(3, "b"))) == 1
    await venue.close()


async def test_a_failed_commit_takes_the_requests_behind_it_with_it(
    path: Path,
) -> None:
    host = Threads()
    venue = await connected(path, host)
    failed: list[str] = []

    async def submit(name: str) -> None:
        try:
            await venue.submit(order_at(0, name))
        except NotSent:
            failed.append(name)

    refuse_inserts(path, refuse=True)
    host.hold()
    async with trio.open_nursery() as nursery:
        for name in ("a", "b"):
            nursery.start_soon(submit, name)
            await wait_all_tasks_blocked()
        host.gate.set()
    refuse_inserts(path, refuse=False)
    assert sorted(failed) == ["a", "b"]
    await submit("c")
    assert [await venue.lookup(name) == NotFound() for name in "abc"] == [
        True,
        True,
        False,
    ]
    await venue.close()


async def test_a_lookup_waits_for_the_commit_of_the_order(path: Path) -> None:
    host = Threads()
    venue = await connected(path, host)
    answers: list[bool] = []

    async def look_up() -> None:
        answers.append(await venue.lookup("a") == NotFound())

    host.hold()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(venue.submit, order_at(0))
        await wait_all_tasks_blocked()
        nursery.start_soon(look_up)
        await wait_all_tasks_blocked()
        assert answers == []
        host.gate.set()
    assert answers == [False]
    await venue.close()


async def test_a_cancelled_request_ends_the_session_and_the_file_decides(
    path: Path,
) -> None:
    host = Threads()
    venue = await connected(path, host)
    host.hold()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(venue.submit, order_at(0))
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    with pytest.raises(NotSent, match="connect first"):
        await venue.lookup("a")
    host.gate.set()
    await venue.connect()
    assert await venue.lookup("a") == NotFound()
    await venue.close()


async def test_a_commit_that_takes_too_long_is_in_doubt(path: Path) -> None:
    host = Threads()
    venue = await connected(path, host)
    venue._host = Abandoned()
    with pytest.raises(OutcomeUnknown):
        await venue.submit(order_at(0))
    with pytest.raises(NotSent):
        await venue.submit(order_at(0))
    venue._host = host
    await venue.connect()
    assert isinstance(await venue.lookup("a"), Found)
    await venue.close()


async def test_a_commit_of_a_second_writer_is_refused(path: Path) -> None:
    first, second = await connected(path), await connected(path)
    await first.submit(order_at(0))
    with pytest.raises(NotSent, match="expected to append number 3, got 1"):
        await second.submit(order_at(0, "b"))
    assert isinstance(await second.lookup("a"), Found)
    assert await second.submit(order_at(0, "b"))
    await first.close()
    await second.close()


async def test_a_file_that_is_no_record_is_refused_in_one_line(rubbish: Path) -> None:
    with pytest.raises(InputError) as caught:
        await connected(rubbish)
    assert str(rubbish) in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_row_that_is_missing_is_named(path: Path) -> None:
    venue = await connected(path)
    await venue.submit(order_at(0))
    await venue.close()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DELETE FROM events WHERE number = 1")
    with pytest.raises(InputError, match="row 1"):
        await connected(path)


async def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    await (await connected(path)).close()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'")
    with pytest.raises(JournalTooNew, match="schema version 1"):
        await connected(path)
