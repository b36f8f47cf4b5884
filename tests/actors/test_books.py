"""The books: several currencies, lots, short positions, and known answers."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from holdfast_actors.books import Books
from holdfast_actors.ledger import Ledger
from holdfast_domain import events as ev
from holdfast_domain.fills import account_of
from holdfast_domain.instruments import Instrument
from holdfast_domain.lots import Lot, Lots
from holdfast_domain.money import Money, Price
from holdfast_domain.positions import FLAT
from holdfast_domain.reconciliation import Subject

from .desk import D, capital, entries, filled, terms

ANSWERS = Path(__file__).parents[2] / ".." / "shared" / "data" / "known_answers"
INSTRUMENTS = {
    "SPY": Instrument(symbol="SPY"),
    "DAX": Instrument(symbol="DAX", currency="EUR", multiplier=D(25)),
    "BTCUSDT": Instrument(
        symbol="BTCUSDT", currency="USDT", base="BTC", lot=D("0.001")
    ),
}


def traded(
    number: int, name: str, symbol: str, units: Decimal, price: Decimal, fee: Money
) -> ev.OrderFilled | ev.ExternalFilled:
    made = filled(
        "a",
        terms(units, instrument=symbol),
        abs(units),
        price,
        strategy=name,
        execution=f"X{number}",
    )
    fill = replace(made.fill, fee=fee)
    if name == "external":
        return ev.ExternalFilled(venue="paper", fill=fill)
    return replace(made, fill=fill)


def adjusted(unit: str, amount: Decimal, ordinal: int = 0) -> ev.BooksAdjusted:
    """Return the record of an adjustment; of a position if it is an instrument."""
    is_cash = unit not in INSTRUMENTS
    return ev.BooksAdjusted(
        adjustment_id="",
        venue="paper",
        subject=Subject.CASH if is_cash else Subject.POSITION,
        unit=unit,
        amount=amount,
        price=None if is_cash else Price(D(10)),
        watermark="W",
        ordinal=ordinal,
        traded_back=False,
        why="",
    )


money = st.integers(-10_000, 10_000).map(lambda cents: D(cents) / 100)
trades = st.builds(
    traded,
    st.integers(1, 10**9),
    st.sampled_from(["one", "two", "external"]),
    st.sampled_from(list(INSTRUMENTS)),
    st.integers(-5_000, 5_000).filter(bool).map(lambda thousandths: D(thousandths) / 8),
    st.integers(1, 100_000).map(lambda cents: D(cents) / 100),
    st.builds(Money, money, st.sampled_from(["USD", "EUR", "BTC"])),
)
adjustments = st.builds(
    adjusted,
    st.sampled_from([*INSTRUMENTS, "USD", "EUR"]),
    money.filter(bool),
    st.integers(0, 2),
)
journals = st.lists(st.one_of(trades, trades, adjustments), max_size=25).map(
    lambda rest: [capital("one", 1_000), capital("two", 500), *rest]
)


def books_of(records: list[ev.Event]) -> Books:
    books = Books(INSTRUMENTS, "paper")
    for record in records:
        books.apply(record)
    return books


@given(journals)
def test_postings_sum_to_zero_for_each_unit(records: list[ev.Event]) -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)

    for (_, unit), amount in books_of(records).balances.items():
        sums[unit] += amount

    assert set(sums.values()) <= {D(0)}


@given(journals)
def test_the_sub_ledgers_always_sum_to_the_account(records: list[ev.Event]) -> None:
    books = books_of(records)
    account: dict[str, Decimal] = defaultdict(Decimal)
    parts: dict[str, Decimal] = defaultdict(Decimal)

    # What the venue, its fees and the capital say, with nothing of any strategy.
    for (name, unit), amount in books.balances.items():
        if name.partition("/")[0] not in ("strategy", "house", "external"):
            account[unit] -= amount
    for part in books.sub_ledgers().values():
        for unit, amount in part.cash.items():
            parts[unit] += amount
        for symbol, held in part.positions.items():
            parts[symbol] += held.amount

    assert {k: v for k, v in parts.items() if v} == {
        k: v for k, v in account.items() if v
    }


@given(journals)
def test_cash_is_what_its_account_was_posted(records: list[ev.Event]) -> None:
    books = books_of(records)

    for name, part in books.sub_ledgers().items():
        for unit, amount in part.cash.items():
            assert books.balances[f"{account_of(name)}/cash", unit] == amount


@given(journals)
def test_books_come_back_from_plain_values(records: list[ev.Event]) -> None:
    books, again = books_of(records), Books(INSTRUMENTS, "paper")

    again.load(json.loads(json.dumps(books.save())))

    assert again.balances == books.balances
    assert again.sub_ledgers() == books.sub_ledgers()


@given(journals, st.data())
def test_as_of_a_record_is_what_it_was_then(
    records: list[ev.Event], data: st.DataObject
) -> None:
    journal = entries(records)
    at = data.draw(st.integers(0, len(records)))
    ledger = Ledger(
        history=journal,
        instruments=INSTRUMENTS,
        venue="paper",
        read=lambda: journal,
    )

    then = ledger.as_of(at)

    assert then.balances == books_of(records[:at]).balances
    assert then.sub_ledgers() == books_of(records[:at]).sub_ledgers()


units_and_prices = st.lists(
    st.tuples(
        st.integers(-6, 6).filter(bool).map(Decimal), st.integers(1, 99).map(Decimal)
    ),
    max_size=30,
)


@given(units_and_prices)
def test_lots_close_the_oldest_unit_first(trades: list[tuple[Any, Any]]) -> None:
    lots, units, realised = Lots(), deque[tuple[int, Decimal]](), D(0)

    for amount, price in trades:
        lots.trade(amount, price)
        way = 1 if amount > 0 else -1
        for _ in range(abs(int(amount))):
            if units and units[0][0] != way:
                realised += -way * (price - units.popleft()[1])
            else:
                units.append((way, price))

    assert lots.realised == realised
    assert lots.amount == sum(way for way, _ in units)
    assert sum((lot.units * lot.price for lot in lots.open), D(0)) == sum(
        (way * price for way, price in units), D(0)
    )


@given(units_and_prices, st.integers(1, 99).map(Decimal))
def test_both_methods_tell_the_same_profit_in_all(
    trades: list[tuple[Any, Any]], last: Decimal
) -> None:
    lots, held = Lots(), FLAT

    for amount, price in trades:
        lots.trade(amount, price)
        held = held.after(amount, price)

    fifo = lots.realised + lots.amount * last - lots.amount * lots.cost_basis
    average = held.realised + held.amount * (last - held.cost_basis)
    assert abs(fifo - average) < D("1e-18")


def test_a_short_position_that_is_turned_starts_anew() -> None:
    lots = Lots()

    for units, price in ((-10, 50), (-10, 60), (25, 40)):
        lots.trade(D(units), D(price))

    assert lots.realised == 10 * 10 + 10 * 20
    assert list(lots.open) == [Lot(D(5), D(40))]


@pytest.mark.skipif(not ANSWERS.is_dir(), reason="the answers are not on this machine")
@pytest.mark.parametrize("variant", ["A_stock", "B_futures"])
def test_backtraders_trades_of_2006_come_to_its_cash_and_value(variant: str) -> None:
    text = (ANSWERS / "backtrader_sma15_2006.json").read_text()
    answer = json.loads(text)["expected"]
    times, fee = (10, 2) if variant == "B_futures" else (1, 0)
    instrument = Instrument(symbol="SPY", multiplier=D(times))
    books = Books({"SPY": instrument}, "paper")
    buys, sells = answer["buy_fills"], answer["sell_fills"]
    # The stock's cash and value tell the last close, which is not among the answers.
    stock = answer["A_stock"]
    close = D(stock["final_value"]) - D(stock["final_cash"])

    books.apply(capital("one", 10_000))
    for number, price in enumerate(buys):
        cost = Money(D(fee), "USD")
        books.apply(traded(2 * number, "one", "SPY", D(1), D(price), cost))
        if number < len(sells):
            sold = D(sells[number])
            books.apply(traded(2 * number + 1, "one", "SPY", D(-1), sold, cost))

    part = books.sub_ledgers()["one"]
    held, lots = part.positions["SPY"], part.lots["SPY"]
    value = part.cash["USD"] + instrument.notional(close, held.amount)
    assert value == D(answer[variant]["final_value"])
    if variant == "A_stock":
        assert part.cash["USD"] == D(stock["final_cash"])
    gained = sum((D(s) - D(b) for b, s in zip(buys, sells, strict=False)), D(0))
    assert held.realised == part.lots_realised["SPY"] == gained
    unrealised = (close - lots[0].price) * times
    assert value == 10_000 + gained * times + unrealised - part.fees["USD"]


def test_a_partial_close_shows_where_the_methods_differ() -> None:
    usd = Money(D(0), "USD")
    records: list[ev.Event] = [
        traded(1, "one", "SPY", D(10), D(100), usd),
        traded(2, "one", "SPY", D(10), D(120), usd),
        traded(3, "one", "SPY", D(-10), D(130), usd),
    ]

    part = books_of(records).sub_ledgers()["one"]

    assert part.positions["SPY"].realised == 200
    assert part.positions["SPY"].cost_basis == 110
    assert part.lots_realised["SPY"] == 300
    assert part.lots["SPY"] == (Lot(D(10), D(120)),)
