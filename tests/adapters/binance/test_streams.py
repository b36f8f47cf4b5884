"""The streams: what the account and the market say, over real sockets and recorded."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random

import attrs
import msgspec
import pytest
import trio

from holdfast_adapters.binance import (
    Credentials,
    Listener,
    MarketDialect,
    MarketStream,
    UserDialect,
    UserStream,
)
from holdfast_adapters.binance.telling import snapshot_of
from holdfast_adapters.binance.wire import Depth
from holdfast_adapters.streams import (
    Confirmed,
    Data,
    Denied,
    Leaving,
    Malformed,
    Stream,
    StreamClient,
    StreamPlan,
    Subscription,
)
from holdfast_adapters.streams.books import BookKeeper
from holdfast_domain.book import BookUpdate, OrderBook
from holdfast_domain.marketdata import Bar, Quote, Trade
from holdfast_domain.money import Price
from holdfast_domain.orders import OrderType
from holdfast_domain.ports import Acked, Ended, Executed, Replaced, VenueEvent
from holdfast_domain.stepping import News

from .corpus import SHARED, raw_lines
from .desk import BTC, KEY, SECRET, Desk, HandClock, desk, terms

recorded = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the recorded payloads are not beside the repository"
)


@attrs.define(eq=False)
class Ears:
    """Remembers what is told, and wakes who waits for more."""

    events: list[VenueEvent] = attrs.field(factory=list)
    holes: list[str] = attrs.field(factory=list)
    accounts: int = 0
    _bell: trio.Event = attrs.field(factory=trio.Event)

    def event(self, event: VenueEvent) -> None:
        self.events.append(event)
        self._ring()

    def account(self) -> None:
        self.accounts += 1

    def hole(self, why: str) -> None:
        self.holes.append(why)
        self._ring()

    def _ring(self) -> None:
        self._bell.set()
        self._bell = trio.Event()

    async def hear(self, events: int = 0, holes: int = 0) -> None:
        while len(self.events) < events or len(self.holes) < holes:
            await self._bell.wait()

    @property
    def kinds(self) -> list[type]:
        return [type(each) for each in self.events]


@asynccontextmanager
async def listening(secret: str = SECRET) -> AsyncIterator[tuple[Desk, Ears]]:
    async with desk() as d, trio.open_nursery() as nursery:
        ears = Ears()
        plan = StreamPlan(
            url=f"ws://127.0.0.1:{d.port}/ws-api/v3", backoff_first_s=0.01
        )
        stream = UserStream(
            plan,
            Credentials(KEY, secret),
            lambda: d.clock.us // 1000,
            Random(1),
            Listener(event=ears.event, account=ears.account, hole=ears.hole),
        )
        await nursery.start(stream.run)
        if secret == SECRET:
            await ears.hear(holes=1)
        yield d, ears
        nursery.cancel_scope.cancel()


async def test_the_life_of_an_order_is_heard() -> None:
    async with listening() as (d, ears):
        order = d.order()
        said = list(await d.venue.submit(order))
        said += await d.venue.replace(
            order.order_id, terms(limit_price=Price.of(49_000))
        )
        d.market(49_000, "0.04")
        said += await d.venue.cancel(order.order_id)
        await ears.hear(events=4)
        assert ears.kinds == [Acked, Replaced, Executed, Ended]
        assert {each.order_id for each in ears.events} == {order.order_id}
        (polled,) = (await d.venue.executions_since("")).events
        heard = ears.events[2]
        assert isinstance(heard, Executed)
        assert isinstance(polled, Executed)
        assert (heard.execution_id, heard.fee, heard.cumulative) == (
            polled.execution_id,
            polled.fee,
            polled.cumulative,
        )
        assert ears.accounts == 5


@pytest.mark.parametrize("kind", ["torn_frame", "closed", "terminated", "missing"])
async def test_what_is_missed_on_the_stream_is_in_the_list(kind: str) -> None:
    async with listening() as (d, ears):
        order = d.order(type=OrderType.MARKET, limit_price=None)
        d.simulator.faults.on(kind, "user_stream", skip=2)  # the fill, after the ack
        await d.venue.submit(order)
        if kind != "missing":
            await ears.hear(holes=2)
        (executed,) = (await d.venue.executions_since("")).events
        assert executed.order_id == order.order_id
        assert Executed not in ears.kinds


@pytest.mark.parametrize("kind", ["duplicate", "nonsense"])
async def test_what_is_heard_twice_or_with_nonsense_is_heard(kind: str) -> None:
    async with listening() as (d, ears):
        d.simulator.faults.on(kind, "user_stream", skip=2)
        await d.venue.submit(d.order(type=OrderType.MARKET, limit_price=None))
        await ears.hear(events=2, holes=1 + (kind == "nonsense"))
        fills = [each for each in ears.events if isinstance(each, Executed)]
        assert len({each.execution_id for each in fills}) == 1


async def test_a_wrong_secret_is_tried_again_and_tells_nothing() -> None:
    async with listening(secret="wrong") as (d, ears):
        for _ in range(3):
            await d.simulator.asked.wait()
        await d.venue.submit(d.order())
        assert (ears.events, ears.holes) == ([], [])
        assert d.simulator.user_streams == 0


def test_a_login_is_secret_and_signed() -> None:
    who = Credentials(KEY, SECRET)
    ask = UserDialect(who, lambda: 7, 5000).login()
    assert ask.is_secret
    assert who.signature(f"apiKey={KEY}&recvWindow=5000&timestamp=7") in ask.payload
    assert SECRET not in ask.payload


# --- the market ---------------------------------------------------------------------


async def test_the_market_is_heard() -> None:
    async with desk() as d, trio.open_nursery() as nursery:
        plan = StreamPlan(url=f"ws://127.0.0.1:{d.port}/stream")
        made = StreamClient(
            Stream(plan, lambda: MarketDialect(lambda: d.clock.us // 1000), Random(1))
        )
        await nursery.start(made.run)
        names = ["btcusdt@trade", "btcusdt@bookTicker"]
        made.subscribe([Subscription(key=name) for name in names])
        values: list[object] = []
        await made.batch()
        d.market(50_100, 2)
        while len(values) < 2:
            values += [e.value for e in await made.batch() if isinstance(e, Data)]
        nursery.cancel_scope.cancel()
    trade, quote = values
    assert isinstance(trade, Trade)
    assert (trade.instrument, trade.price, trade.size) == (BTC, 50_100.0, 2.0)
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask) == (50_099.99, 50_100.01)


@recorded
def test_recorded_frames_are_told_and_their_numbers_have_no_gap() -> None:
    dialect, last, told = MarketDialect(lambda: 0), dict[str, int](), Counter[type]()
    for frame in raw_lines("hftbacktest/spot/btcusdt_20240808.jsonl.gz", 20_000):
        if '"stream"' not in frame:
            continue  # the snapshot of the book, which came over HTTP
        for each in dialect.read(frame.encode(), 0.0):
            assert isinstance(each, Data)
            told[type(each.value)] += 1
            if each.follows is not None and each.key in last:
                assert each.follows == last[each.key]
            if each.sequence is not None:
                last[each.key] = each.sequence
    assert told.keys() == {Trade, Quote, BookUpdate}
    assert told[Trade] > 1000


@recorded
def test_a_recorded_book_has_the_best_prices_of_the_recorded_quotes() -> None:
    """Where both streams are at the same update, they say the same."""
    dialect, keeper = MarketDialect(lambda: 0), BookKeeper(OrderBook(BTC))
    quotes: dict[int, Quote] = {}
    compared = 0
    for frame in raw_lines("hftbacktest/spot/btcusdt_20240808.jsonl.gz", 8_000):
        if '"stream"' not in frame:
            depth = msgspec.json.decode(frame, type=Depth)
            keeper.snapshot(snapshot_of(BTC, depth), 0.0)
            continue
        for each in dialect.read(frame.encode(), 0.0):
            assert isinstance(each, Data)
            if isinstance(each.value, Quote) and each.sequence is not None:
                quotes[each.sequence] = each.value
            elif isinstance(each.value, BookUpdate):
                keeper.update(each.value, 0.0)
                quote = quotes.get(each.value.sequence or -1)
                if quote is None or keeper.wants_snapshot:
                    continue
                bid = keeper.book.best_bid(0.0, 1.0)
                ask = keeper.book.best_ask(0.0, 1.0)
                assert bid is not None
                assert ask is not None
                assert (float(bid[0]), float(ask[0])) == (quote.bid, quote.ask)
                compared += 1
    assert compared > 20


async def test_a_snapshot_of_the_book_is_asked_for() -> None:
    async with desk() as d:
        book = await d.venue.book(BTC)
        assert book.instrument == BTC
        assert float(book.bids[0][0]) == 50_009.99
        assert float(book.asks[0][0]) == 50_010.01


@recorded
def test_recorded_bars_are_told_once_they_have_ended() -> None:
    dialect = MarketDialect(lambda: 0)
    bars = [
        each.value
        for frame in raw_lines("cryptofeed/BINANCE.ws.1.0.gz")
        if '"stream"' in frame
        for each in dialect.read(frame.encode(), 0.0)
        if isinstance(each, Data) and isinstance(each.value, Bar)
    ]
    for bar in bars:
        assert bar.ended_at.second == 0
        assert bar.low <= min(bar.open, bar.close) <= bar.high


async def test_a_trade_that_comes_alone_waits_for_no_pulse() -> None:
    async with desk() as d, trio.open_nursery() as nursery:
        plan = StreamPlan(url=f"ws://127.0.0.1:{d.port}/stream")
        clock = d.clock
        stream = MarketStream(
            plan, [BTC], lambda: clock.us, Random(1), quotes=plan, pulse_s=3600.0
        )
        send, heard = trio.open_memory_channel[News](100)
        nursery.start_soon(stream.run, send.send)
        with trio.fail_after(60):
            while not (await heard.receive()).whole_from_us:
                pass
        for price in range(50_001, 50_011):
            d.market(price)
            trades: list[Trade] = []
            quotes: list[Quote] = []
            with trio.fail_after(60):
                while not (trades and quotes):
                    news = await heard.receive()
                    trades += news.trades
                    quotes += news.quotes
            assert [each.price for each in trades] == [price]
            assert len(quotes) == 1
        nursery.cancel_scope.cancel()


class Cable:
    """Goes to the exchange on threads of its own; holds back what comes, if asked."""

    def __init__(self, port: int) -> None:
        self.held = b""
        self._holds = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self._far = socket.create_connection(("127.0.0.1", port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        self._near, _address = self._server.accept()
        self._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        threading.Thread(target=self._ask, daemon=True).start()
        with suppress(OSError):
            while data := self._far.recv(65_536):
                if self._holds:
                    self.held += data
                else:
                    self._near.sendall(data)

    def _ask(self) -> None:
        with suppress(OSError):
            while data := self._near.recv(65_536):
                self._far.sendall(data)

    def hold(self) -> None:
        self._holds = True

    def release(self) -> None:
        """Return when the system has all that was held back."""
        self._near.sendall(self.held)

    def close(self) -> None:
        for each in (self._far, self._near, self._server):
            each.close()


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(60):
        while not holds():  # noqa: ASYNC110 - another thread, and a stream, ring nothing
            await trio.sleep(0.01)


def held_up(cable: Cable, clock: HandClock) -> None:
    """Let an hour go by, in which nothing of the engine runs, and all that waits comes.

    It lasts until a pulse is due, too.
    """
    clock.go_on(3600)
    cable.release()
    time.sleep(0.05)


@pytest.mark.parametrize("inbox_max", [65_536, 3_000], ids=["at_once", "in_parts"])
async def test_who_was_held_up_reads_all_that_waits_before_time_goes_on(
    inbox_max: int,
) -> None:
    async with desk() as d, trio.open_nursery() as nursery:
        cable = Cable(d.port)
        plan = StreamPlan(
            url=f"ws://127.0.0.1:{cable.port}/stream", inbox_max=inbox_max
        )
        stream = MarketStream(plan, [BTC], lambda: d.clock.us, Random(1), pulse_s=0.01)
        told: list[News] = []

        async def take(news: News) -> None:
            told.append(news)

        nursery.start_soon(stream.run, take)
        await until(lambda: bool(told and told[-1].whole_from_us))
        cable.hold()
        for price in range(50_001, 52_001):
            d.market(price)
        await until(lambda: b"52000.0" in cable.held)
        held_up(cable, d.clock)
        await until(lambda: told[-1].now_us == d.clock.us)
        nursery.cancel_scope.cancel()
        cable.close()
    before = [news for news in told if news.now_us < d.clock.us]
    first = told[len(before)]
    assert sum(len(news.trades) for news in [*before, first]) == 2_000


def test_answers_and_nonsense_of_the_market_are_told_apart() -> None:
    dialect = MarketDialect(lambda: 0)
    asks = dialect.subscribe([f"s{n}@trade" for n in range(150)])
    assert [len(each.keys) for each in asks] == [100, 50]
    assert dialect.read(b'{"result":null,"id":1}', 0.0) == [
        Confirmed(keys=list(asks[0].keys))
    ]
    denied = dialect.read(b'{"error":{"code":2,"msg":"no"},"id":2}', 0.0)
    assert denied[0] == Denied(key="s100@trade", code="2", reason="no")
    assert len(denied) == 50
    shutdown = b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}'
    assert isinstance(dialect.read(shutdown, 0.0)[0], Leaving)
    for nonsense in (b'{"result":null,"id":9}', b"{}"):
        with pytest.raises(Malformed):
            dialect.read(nonsense, 0.0)
