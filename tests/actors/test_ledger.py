"""The ledger: double entry, and nothing that the journal does not have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, strategies as st

from holdfast_actors.ledger import Ledger
from holdfast_actors.messages import Committed, Report
from holdfast_domain import events as ev
from holdfast_domain.positions import Position

from .desk import INSTRUMENTS, D, capital, entries, filled, terms

trades = st.builds(
    lambda name, units, price, fee, symbol, number: filled(
        "a",
        terms(units, instrument=symbol),
        abs(units),
        D(price) / 100,
        strategy=name,
        execution=f"X{number}",
        fee=D(fee) / 100,
    ),
    st.sampled_from(["one", "two"]),
    st.integers(-50, 50).filter(bool),
    st.integers(1, 100_000),
    st.integers(-100, 100),
    st.sampled_from(["SPY", "QQQ"]),
    st.integers(1, 10**6),
)
others = st.sampled_from(
    [ev.OrderExpired(order_id="a", strategy="one"), ev.Resumed(reason="", by="")]
)
journals = st.lists(st.one_of(trades, others), max_size=20).map(
    lambda rest: [capital("one", 1_000), capital("two", 500), *rest]
)


def ledger_of(records: Sequence[ev.Event]) -> Ledger:
    return Ledger(history=entries(records), instruments=INSTRUMENTS, venue="paper")


@given(journals)
def test_all_balances_sum_to_zero_for_each_unit(records: list[ev.Event]) -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)

    for (_, unit), amount in ledger_of(records).balances.items():
        sums[unit] += amount

    assert set(sums.values()) <= {D(0)}


@given(journals, st.data())
def test_a_rebuilt_ledger_is_the_live_one(
    records: list[ev.Event], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(records)))
    live = ledger_of(records[:cut])

    # Told twice over, and from before where it stands: each record counts once.
    for entry in entries(records):
        live.handle(Committed(entry))
        live.handle(Committed(entry))

    rebuilt = ledger_of(records)
    assert live.balances == rebuilt.balances
    assert live.handle(Report()) == rebuilt.handle(Report())


@given(journals)
def test_the_sub_ledgers_are_the_account(records: list[ev.Event]) -> None:
    ledger = ledger_of(records)
    account = ledger.balances

    parts = ledger.sub_ledgers().values()

    spent = sum((each.cash["USD"] - each.capital["USD"] for each in parts), D(0))
    taken = account.get(("venue/paper/cash", "USD"), D(0))
    fees = account.get(("venue/paper/fees", "USD"), D(0))
    assert spent == -(taken + fees)
    assert sum((each.fees.get("USD", D(0)) for each in parts), D(0)) == fees
    for symbol in INSTRUMENTS:
        units = sum((held_of(each.positions, symbol) for each in parts), D(0))
        assert units == -account.get(("venue/paper/position", symbol), D(0))


def held_of(positions: dict[str, Position], symbol: str) -> Decimal:
    return positions.get(symbol, Position()).amount


def test_a_sub_ledger_tells_capital_cash_positions_and_fees() -> None:
    buy, sell = terms(10), terms(-4)
    records: list[ev.Event] = [
        capital("one", 1_000),
        filled("a", buy, 10, 50, fee=1),
        filled("b", sell, 4, 60, fee="0.5"),
    ]

    (part,) = ledger_of(records).sub_ledgers().values()

    assert part.capital == {"USD": 1_000}
    assert part.cash == {"USD": D("738.5")}
    assert part.fees == {"USD": D("1.5")}
    assert part.positions == {"SPY": Position(D(6), D(50), D(40))}
