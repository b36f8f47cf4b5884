"""Books and bars against what venues themselves said of them, as others recorded it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import islice

import pytest

from holdfast_adapters.streams import checksums
from holdfast_adapters.streams.books import BookKeeper
from holdfast_domain.barbuilder import BarBuilder
from holdfast_domain.book import BookSnapshot, BookUpdate, Level, OrderBook
from holdfast_domain.marketdata import Trade, utc_from_us

from .recordings import Message, cryptofeed, hftbacktest, levels

Best = tuple[Level | None, Level | None]
LINES = 15_000
"""So much of each recording is a minute or more of a busy market."""


def binance_update(data: Message) -> BookUpdate:
    return BookUpdate(
        instrument=data["s"],
        sequence=data["u"],
        follows=data.get("pu", data["U"] - 1),
        bids=levels(data["b"]),
        asks=levels(data["a"]),
    )


@pytest.mark.parametrize(
    "name", ["spot/btcusdt_20240808", "usdm/btcusdt_20240808", "usdm/ethusdt_20240808"]
)
def test_best_prices_and_sizes_are_the_recorded_book_tickers(name: str) -> None:
    keeper = BookKeeper(OrderBook("X"))
    tickers: list[tuple[int, Best]] = []
    built: list[tuple[int, Best]] = []
    for _, message in islice(hftbacktest(name), LINES):
        data = message.get("data", message)
        if "lastUpdateId" in data:
            bids, asks = levels(data["bids"]), levels(data["asks"])
            sequence = data["lastUpdateId"]
            snapshot = BookSnapshot(
                instrument="X", sequence=sequence, bids=bids, asks=asks
            )
            keeper.snapshot(snapshot, 0.0)
        elif data.get("e") == "depthUpdate":
            keeper.update(binance_update(data), 0.0)
            if not keeper.wants_snapshot:
                book = keeper.book
                best = (book.best_bid(0.0, 1.0), book.best_ask(0.0, 1.0))
                built.append((book.sequence or 0, best))
        elif "B" in data:
            ((bid, ask),) = [levels([[data["b"], data["B"]], [data["a"], data["A"]]])]
            tickers.append((data["u"], (bid, ask)))
    tickers.sort(key=lambda each: each[0])
    numbers = [number for number, _ in tickers]
    # A ticker comes when the best changes: the last one up to an update is its best.
    pairs = [
        (best, tickers[at - 1][1])
        for number, best in built
        if 0 < (at := bisect_right(numbers, number)) < len(tickers)
    ]

    assert len(pairs) > 700
    assert [one for one in pairs if one[0] != one[1]] == []
    assert keeper.rebuilt == 1


def test_a_lost_update_of_a_recording_makes_the_book_invalid() -> None:
    keeper = BookKeeper(OrderBook("X"))
    updates = 0
    for _, message in islice(hftbacktest("spot/btcusdt_20240808"), LINES):
        data = message.get("data", message)
        if "lastUpdateId" in data:
            bids, asks = levels(data["bids"]), levels(data["asks"])
            sequence = data["lastUpdateId"]
            keeper.snapshot(
                BookSnapshot(instrument="X", sequence=sequence, bids=bids, asks=asks),
                0.0,
            )
        elif data.get("e") == "depthUpdate":
            updates += 1
            if updates != 500:
                keeper.update(binance_update(data), 0.0)
        if updates == 500:
            assert not keeper.wants_snapshot

    assert keeper.wants_snapshot


def test_each_checksum_of_kraken_is_that_of_our_book() -> None:
    books: dict[int, OrderBook] = {}
    checked = 0
    for message in cryptofeed("KRAKEN.ws.50.0"):
        if not isinstance(message, list):
            continue
        channel, name = message[0], message[-2]
        assert name == "book-1000"
        if "as" in message[1]:
            books[channel] = OrderBook(
                message[-1], checksum=checksums.kraken, depth_max=1000
            )
            snapshot = message[1]
            bids, asks = levels(snapshot["bs"]), levels(snapshot["as"])
            books[channel].reset(
                BookSnapshot(instrument="X", sequence=None, bids=bids, asks=asks), 0.0
            )
            continue
        parts = message[1:-2]
        (checksum,) = [int(part["c"]) for part in parts if "c" in part]
        update = BookUpdate(
            instrument="X",
            sequence=None,
            follows=None,
            bids=levels([row for part in parts for row in part.get("b", ())]),
            asks=levels([row for part in parts for row in part.get("a", ())]),
            checksum=checksum,
        )
        books[channel].update(update, 0.0)
        assert books[channel].why_invalid is None
        checked += 1

    assert checked == 4_269


def test_each_checksum_of_okx_is_that_of_our_book() -> None:
    books: dict[str, OrderBook] = {}
    checked = 0
    for message in cryptofeed("OKX.ws.1.0"):
        if message.get("arg", {}).get("channel") != "books" or "data" not in message:
            continue
        name = message["arg"]["instId"]
        (data,) = message["data"]
        bids, asks = levels(data["bids"]), levels(data["asks"])
        if message["action"] == "snapshot":
            books[name] = OrderBook(name, checksum=checksums.okx)
            books[name].reset(
                BookSnapshot(instrument=name, sequence=None, bids=bids, asks=asks), 0.0
            )
        update = BookUpdate(
            instrument=name,
            sequence=None,
            follows=None,
            bids=bids,
            asks=asks,
            checksum=data["checksum"],
        )
        books[name].update(update, 0.0)
        assert books[name].why_invalid is None
        checked += 1

    assert checked == 290


@pytest.mark.parametrize(
    ("name", "complete"), [("BINANCE", 1), ("BINANCE_FUTURES", 15)]
)
def test_bars_of_recorded_trades_are_the_recorded_klines(
    name: str, complete: int
) -> None:
    trades: dict[str, list[Message]] = defaultdict(list)
    klines: list[Message] = []
    for message in cryptofeed(f"{name}.ws.1.0"):
        data = message["data"]
        if data.get("e") == "aggTrade":
            trades[data["s"]].append(data)
        elif data.get("e") == "kline":
            klines.append(data["k"])
    compared = 0
    for kline in klines:
        mine = [
            trade
            for trade in trades[kline["s"]]
            if kline["f"] <= trade["f"] and trade["l"] <= kline["L"]
        ]
        if sum(each["l"] - each["f"] + 1 for each in mine) != kline["n"]:
            continue  # It began before the recording did.
        builder = BarBuilder("X", 60_000_000)
        for each in mine:
            traded_at = utc_from_us(each["T"] * 1_000)
            price, size = float(each["p"]), float(each["q"])
            builder.trade(
                Trade(instrument="X", traded_at=traded_at, price=price, size=size)
            )
        (bar,) = builder.clock(kline["T"] * 1_000 + 1_000)
        assert bar.ended_at == utc_from_us(kline["T"] * 1_000 + 1_000)
        assert [bar.open, bar.high, bar.low, bar.close, bar.volume] == [
            float(kline[field]) for field in "ohlcv"
        ]
        compared += 1

    assert compared == complete
