"""The exchange's own bars: as recorded, page by page, and only what is over."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from holdfast_adapters.binance import Klines, Rest
from holdfast_adapters.binance.futures.paths import FUTURES
from holdfast_adapters.binance.klines import INTERVALS, KlineRow, merged
from holdfast_adapters.simulators.binance import Exchange, SimSymbol
from holdfast_adapters.simulators.binance.exchange import BaseExchange
from holdfast_adapters.simulators.binance.futures.exchange import FuturesExchange
from holdfast_adapters.simulators.binance.klines import INTERVALS_MS, KlineBook
from holdfast_domain.errors import OutcomeUnknown, VenueRefused
from holdfast_domain.marketdata import Bar, us_of, utc_from_us

from .corpus import SHARED, futures_payloads, spot_payloads
from .desk import BTC, START_US, Desk, desk

S = 1_000_000
FROM_US = START_US + 100 * S
"""A whole minute."""


def klines(d: Desk, interval_us: int, **given: Any) -> Klines:
    rest = Rest(
        name="binance", address=f"http://127.0.0.1:{d.port}", credentials=None,
        clock=d.clock, sleep=d.clock.sleep, **given,
    )  # fmt: skip
    return Klines(rest, [BTC], interval_us)


def market(d: Desk, *at: tuple[float, float, float]) -> None:
    """Let the market trade: (seconds from then on, price, quantity)."""
    for at_s, price, quantity in at:
        d.clock.us = FROM_US + round(at_s * S)
        d.exchange.trade(BTC, Decimal(str(price)), Decimal(str(quantity)))


def shown(bars: list[Bar]) -> list[tuple[float, ...]]:
    return [
        ((us_of(b.ended_at) - FROM_US) / S, b.open, b.high, b.low, b.close, b.volume)
        for b in bars
    ]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded payloads are not there")
def test_recorded_klines_are_bars_and_nothing_is_dropped() -> None:
    found = [
        value
        for payloads in (spot_payloads(), futures_payloads())
        for place, value in payloads
        if place.endswith("market_klines.json") or "Kline/Candlestick" in place
        if isinstance(value, list) and value and isinstance(value[0], list)
    ]
    rows = [
        msgspec.json.decode(msgspec.json.encode(each), type=list[KlineRow])
        for each in found
    ]
    assert sum(len(each) for each in rows) >= 11
    for raw, parsed in zip(found, rows, strict=True):
        length_us = (parsed[0].close_ms + 1 - parsed[0].open_ms) * 1000
        bars = list(merged(BTC, parsed, length_us))
        assert [[b.open, b.high, b.low, b.close, b.volume] for b in bars] == [
            [float(each) for each in row[1:6]] for row in raw
        ]
        if length_us in INTERVALS.values():  # a week begins on a Monday: we have none
            ends = [us_of(bar.ended_at) // 1000 - 1 for bar in bars]
            assert ends == [row[6] for row in raw]


async def test_bars_that_the_exchange_does_not_have_are_made_of_shorter_ones() -> None:
    async with desk() as d:
        market(d, (0, 10, 1), (9, 12, 1), (11, 9, 2), (31, 11, 1), (33, 10, 3))
        d.clock.us = FROM_US + 39 * S
        bars = await klines(d, 10 * S).between(FROM_US, FROM_US + 40 * S)
        assert d.asked("klines")[-1]["interval"] == "1s"
        # The last one is not over: a second of it is forming, another may come.
        assert shown(bars)[:3] == [
            (10, 10, 12, 10, 12, 2),
            (20, 9, 9, 9, 9, 2),
            (30, 9, 9, 9, 9, 0),
        ]
        bars = await klines(d, 10 * S).last(2, FROM_US + 30 * S)
        assert [each[0] for each in shown(bars)] == [20, 30]


async def test_a_kline_that_is_forming_is_not_taken() -> None:
    async with desk() as d:
        market(d, (60, 10, 1), (119, 12, 1), (121, 9, 2))
        wanted = FROM_US + 180 * S
        bars = await klines(d, 60 * S).between(FROM_US + 60 * S, wanted)
        assert next(each[0] for each in shown(bars)) == 120
        d.clock.us = wanted
        assert len(await klines(d, 60 * S).between(FROM_US + 60 * S, wanted)) == 2


async def test_pages_follow_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_adapters.binance.klines.PAGE", 3)
    async with desk() as d:
        market(d, *((at_s, 10 + at_s, 1) for at_s in range(10)))
        bars = await klines(d, S).between(FROM_US, FROM_US + 8 * S)
        assert [each[:2] for each in shown(bars)] == [
            (at_s + 1, 10 + at_s) for at_s in range(8)
        ]
        assert len(d.asked("klines")) == 3
        monkeypatch.setattr("holdfast_adapters.binance.klines.PAGES", 2)
        with pytest.raises(OutcomeUnknown, match="more than 2 pages"):
            await klines(d, S).between(FROM_US, FROM_US + 8 * S)


async def test_a_question_is_asked_again_and_then_it_fails() -> None:
    async with desk() as d:
        market(d, (0, 10, 1))
        d.simulator.faults.on("error_500", "klines", count=4)
        asked = klines(d, S)
        assert len(await asked.between(FROM_US, FROM_US + S)) == 1
        d.simulator.faults.on("error_500", "klines", count=5)
        with pytest.raises(OutcomeUnknown):
            await asked.between(FROM_US, FROM_US + S)


async def test_what_an_exchange_has_no_klines_for_is_refused() -> None:
    async with desk() as d:
        with pytest.raises(
            VenueRefused, match="no klines of 10 s, its shortest have 60"
        ):
            await klines(d, 10 * S, routes=FUTURES).last(5, FROM_US)
        assert d.asked("klines") == []


def test_longer_klines_of_the_desk_are_made_of_shorter_ones_and_of_its_past() -> None:
    symbol = SimSymbol()
    book = KlineBook(symbol, BTC, 2)
    start_ms = FROM_US // 1000
    book.trade(start_ms, Decimal(50_000), symbol.lot)
    now_ms, hour_ms = start_ms + 1, INTERVALS_MS["1h"]
    hours = book.rows(hour_ms, now_ms, 1000, None, now_ms)
    minutes = book.rows(60_000, now_ms, 5000, hours[0][0], now_ms)  # type: ignore[arg-type]
    assert len(hours) == 49
    for hour in hours[1:-1]:
        inside = [m for m in minutes if hour[0] <= m[0] < hour[0] + hour_ms]  # type: ignore[operator]
        assert len(inside) == 60
        assert hour[1] == inside[0][1]
        assert hour[4] == inside[-1][4]
        assert Decimal(str(hour[2])) == max(Decimal(str(m[2])) for m in inside)
        assert Decimal(str(hour[5])) == sum(Decimal(str(m[5])) for m in inside)
    again = KlineBook(symbol, BTC, 2)
    again.trade(start_ms, Decimal(50_000), symbol.lot)
    assert again.rows(hour_ms, now_ms, 1000, None, now_ms) == hours


class Hurried:
    """A clock that goes on by 0.4 s at each look."""

    def __init__(self) -> None:
        self.us = FROM_US

    def now_us(self) -> int:
        self.us += 400_000
        return self.us

    def now(self) -> datetime:
        return utc_from_us(self.now_us())


@pytest.mark.parametrize("kind", [Exchange, FuturesExchange])
def test_a_trade_is_of_one_moment_in_the_stream_and_in_the_klines(
    kind: type[BaseExchange],
) -> None:
    exchange = kind([SimSymbol()], {"USDT": Decimal(100)}, Hurried())
    told: list[int] = []
    exchange.on_market.append(
        lambda name, event: told.append(event["T"]) if "rade" in name else None
    )
    for _ in range(10):
        exchange.trade(BTC, Decimal(50_000), Decimal(1))
    seconds = [at_ms // 1000 for at_ms in told]
    first_ms = seconds[0] * 1000
    rows = exchange.klines[BTC].rows(1000, 1 << 60, 100, first_ms, told[-1])
    traded = {int(str(row[0])) // 1000: float(str(row[5])) for row in rows}
    assert {at: size for at, size in traded.items() if size} == Counter(seconds)
