"""The venue at a desk where things go wrong in the ways of TWS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
import trio

from holdfast_adapters.ib import Address, ContractSpec, Hub, IBVenue, Line, Timing
from holdfast_domain.errors import (
    DomainError,
    DuplicateOrder,
    NotSent,
    VenueRefused,
)
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import (
    Acked,
    Ended,
    Found,
    VenueEvent,
    VenueOrder,
)

from .desk import HandClock, Office, office

pytest.importorskip("ib_async")

ZONE = "America/New_York"
TIMING = Timing(connect_s=60.0, answer_s=60.0, command_s=60.0)


def order(
    number: int = 1, limit: object = 90, quantity: object = 2, side: Side = Side.BUY
) -> VenueOrder:
    made = ClientOrderId(engine=7, epoch=1, sequence=number, strategy=1)
    return VenueOrder(
        order_id=str(made), terms=terms(limit, quantity, side), placed_at_us=0
    )


def terms(
    limit: object = 90, quantity: object = 2, side: Side = Side.BUY
) -> OrderTerms:
    return OrderTerms(
        instrument="AAPL",
        side=side,
        quantity=Quantity.of(str(quantity)),
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else Price.of(str(limit)),
    )


def venue_at(desk: Office, **changes: Any) -> IBVenue:
    line = Line(address=Address("127.0.0.1", desk.port), client_id=3, zone=ZONE)
    made: dict[str, Any] = {
        "host": desk.host,
        "line": line,
        "specs": {"AAPL": ContractSpec.named("AAPL")},
        "clock": desk.clock,
        "timing": TIMING,
    }
    return IBVenue(**{**made, **changes})


class Listener:
    """Who hears the account."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.events: list[VenueEvent] = []
        self.holes: list[str] = []
        self._bell = trio.Event()

    async def run(self) -> None:
        await self.hub.run(
            lambda event: self._take(self.events, event),
            lambda why: self._take(self.holes, why),
        )

    def _take(self, where: list[Any], what: object) -> None:
        where.append(what)
        self._bell.set()
        self._bell = trio.Event()

    async def until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            await self._bell.wait()


@asynccontextmanager
async def trading(**changes: Any) -> AsyncIterator[tuple[Office, IBVenue, Listener]]:
    async with office() as desk, trio.open_nursery() as nursery:
        listener = Listener()
        nursery.start_soon(listener.run)
        venue = venue_at(desk, hub=listener.hub, **changes)
        await venue.connect()
        await listener.until(lambda: "a new connection" in listener.holes)
        yield desk, venue, listener
        await venue.close()
        nursery.cancel_scope.cancel()


# --- to connect -----------------------------------------------------------------


async def test_nobody_listens() -> None:
    async with office() as desk:
        line = Line(address=Address("127.0.0.1", 1), client_id=3, zone=ZONE)
        with pytest.raises(NotSent, match=r"nobody listens at 127\.0\.0\.1:1"):
            await venue_at(desk, line=line).connect()


async def test_who_listens_says_nothing() -> None:
    async def say_nothing(_stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with office() as desk, trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, say_nothing, [listener])
        port = int(listener.socket.getsockname()[1])
        line = Line(address=Address("127.0.0.1", port), client_id=3, zone=ZONE)
        timing = Timing(connect_s=0.05)
        with pytest.raises(NotSent, match="says nothing"):
            await venue_at(desk, line=line, timing=timing).connect()
        nursery.cancel_scope.cancel()


async def test_the_client_id_is_in_use() -> None:
    async with trading() as (desk, venue, _):
        other = venue_at(desk)
        with pytest.raises(VenueRefused, match="already in use") as caught:
            await other.connect()
        assert caught.value.code == "326"
        await venue.connect()
        assert isinstance((await venue.submit(order()))[0], Acked)


@pytest.mark.parametrize(
    ("account", "wrong", "words"),
    [
        ("DU1234567", "DU7654321", "expected account 'DU7654321', got DU1234567"),
        ("U1234567", "", "expected a paper account, got U1234567: say live: true"),
    ],
)
async def test_the_account_is_another_one(account: str, wrong: str, words: str) -> None:
    async with office() as desk:
        desk.desk.account = account
        with pytest.raises(VenueRefused, match=words):
            await venue_at(desk, account=wrong).connect()
        await_live = venue_at(desk, live=True)
        await await_live.connect()
        await await_live.close()


async def test_a_contract_is_not_known() -> None:
    async with office() as desk:
        specs = {"NOPE": ContractSpec.named("NOPE")}
        with pytest.raises(VenueRefused, match="NOPE: No security def") as caught:
            await venue_at(desk, specs=specs).connect()
        assert caught.value.code == "200"


@pytest.mark.parametrize(
    ("text", "live", "words"),
    [
        ("127.0.0.1:7496", False, "7496, where TWS has live accounts; take 7497"),
        ("gate:4001", False, "4001, where IB Gateway has live accounts; take 4002"),
        ("7497", False, "expected HOST:PORT, got '7497'"),
        ("host:99999", True, "expected HOST:PORT"),
    ],
)
def test_an_address_is_for_paper_unless_it_is_said(
    text: str, live: bool, words: str
) -> None:
    with pytest.raises(DomainError, match=words):
        Address.parse(text, "here", live=live)
    assert str(Address.parse("", "here", live=False)) == "127.0.0.1:7497"
    assert Address.parse("127.0.0.1:7496", "here", live=True).port == 7496


# --- orders ---------------------------------------------------------------------


async def test_a_warning_does_not_end_an_order() -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("warned", "submit", value=399)
        assert isinstance((await venue.submit(order()))[0], Acked)
        (resting,) = (await venue.open_orders()).orders
        assert (resting.order_id, resting.terms) == (order().order_id, terms())
        end = (await venue.cancel(order().order_id))[0]
        assert isinstance(end, Ended)
        assert end.how == "canceled"


async def test_new_terms_that_are_refused_leave_the_old_ones() -> None:
    async with trading() as (desk, venue, listener):
        await venue.submit(order())
        desk.simulator.faults.on("refused", "replace", value=201)
        with pytest.raises(VenueRefused) as caught:
            await venue.replace(order().order_id, terms(91))
        assert caught.value.code == "201"
        found = await venue.lookup(order().order_id)
        assert isinstance(found, Found)
        assert found.terms == terms()
        assert not any(isinstance(each, Ended) for each in listener.events)


@pytest.mark.parametrize("code", [201, 110, 460, 9999])
async def test_a_submit_is_refused_in_the_venues_words(code: int) -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("refused", "submit", value=code)
        with pytest.raises(VenueRefused) as caught:
            await venue.submit(order())
        assert caught.value.code == str(code)
        assert isinstance((await venue.submit(order()))[0], Acked)


async def test_an_error_that_nobody_knows_does_not_deny_an_order_that_is_there() -> (
    None
):
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("warned", "submit", value=9999)
        assert isinstance((await venue.submit(order()))[0], Acked)


async def test_a_number_that_was_used_is_passed_over() -> None:
    async with trading() as (desk, venue, _):
        desk.simulator.faults.on("refused", "submit", value=103)
        with pytest.raises(NotSent) as caught:
            await venue.submit(order())
        assert caught.value.retry_after_s > 0
        assert isinstance((await venue.submit(order()))[0], Acked)


async def test_numbers_that_tws_rolls_back_are_not_used_again() -> None:
    async with trading() as (desk, venue, _):
        await venue.submit(order(1))
        await venue.close()
        desk.desk.next_ids[3] = 1
        await venue.connect()
        assert isinstance((await venue.submit(order(2)))[0], Acked)
        assert len((await venue.open_orders()).orders) == 2


async def test_an_id_is_known_after_its_order_has_ended() -> None:
    async with trading() as (_, venue, _listener):
        await venue.submit(order(1, None))
        await venue.submit(order(2))
        await venue.cancel(order(2).order_id)
        await venue.close()
        await venue.connect()
        for number in (1, 2):
            with pytest.raises(DuplicateOrder):
                await venue.submit(order(number))


async def test_another_clients_order_is_listed_and_not_canceled() -> None:
    async with trading() as (desk, venue, _):
        line = Line(address=Address("127.0.0.1", desk.port), client_id=4, zone=ZONE)
        other = venue_at(desk, line=line)
        await other.connect()
        await other.submit(order())
        (listed,) = (await venue.open_orders()).orders
        assert listed.order_id == order().order_id
        with pytest.raises(VenueRefused, match="is of client 4"):
            await venue.cancel(order().order_id)
        await other.close()


# --- what is known --------------------------------------------------------------


async def test_without_its_line_to_ib_nothing_is_asked_of_tws() -> None:
    async with trading() as (desk, venue, listener):
        desk.simulator.lose_connectivity()
        with pytest.raises(NotSent, match="no line to IB") as caught:
            while True:  # until the news has come
                await venue.positions()
        assert caught.value.retry_after_s > 0
        with pytest.raises(NotSent):
            await venue.submit(order())
        desk.simulator.restore_connectivity(lost=False)
        await listener.until(lambda: any("1102" in why for why in listener.holes))
        assert isinstance((await venue.submit(order()))[0], Acked)


async def test_a_message_that_cannot_be_read_ends_the_connection() -> None:
    async with trading() as (desk, venue, listener):
        desk.simulator.faults.on("garbage_after", "submit")
        with pytest.raises(ConnectionError, match="could not be read"):
            await venue.submit(order())
        await listener.until(lambda: "could not be read" in listener.holes[-1])
        await venue.connect()
        assert isinstance(await venue.lookup(order().order_id), Found)


async def test_a_half_open_connection_is_ended() -> None:
    async with office() as desk, trio.open_nursery() as nursery:
        listener = Listener()
        nursery.start_soon(listener.run)
        address = Address("127.0.0.1", desk.port)
        line = Line(address=address, client_id=3, zone=ZONE, heartbeat_s=1.0)
        venue = venue_at(desk, line=line, hub=listener.hub)
        await venue.connect()
        desk.simulator.faults.on("half_open", "orders")
        with pytest.raises(ConnectionError, match=r"no heartbeat within 1 s"):
            await venue.submit(order())
        await listener.until(lambda: "no heartbeat" in listener.holes[-1])
        await venue.connect()
        assert isinstance(await venue.lookup(order().order_id), Found)
        await venue.close()
        nursery.cancel_scope.cancel()


async def test_the_account_is_told_in_ibs_words() -> None:
    async with trading() as (_, venue, _listener):
        await venue.submit(order(1, None, 10))
        (held,) = (await venue.positions()).positions
        assert (held.instrument, held.quantity) == ("AAPL", Decimal(10))
        assert held.average_price == Price.of(100)
        values = await venue.account()
        assert values["NetLiquidation"] == Money(Decimal("99999.00"), "USD")
        assert values["GrossPositionValue"] == Money(Decimal("1000.00"), "USD")
        (cash,) = (await venue.balances()).balances
        assert cash.total == Money(Decimal(98_999), "USD")
        assert (await venue.time()).timestamp() == HandClock().us // 1_000_000
