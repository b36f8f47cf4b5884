"""Random books against a random venue: one judgement brings them together."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from hypothesis import given, strategies as st

from holdfast_actors.books import Books
from holdfast_actors.reconciliation.book import ReconcileBook
from holdfast_actors.reconciliation.bracket import Seen
from holdfast_actors.reconciliation.comparing import Compared, Here, There, compare
from holdfast_actors.reconciliation.judging import Judge
from holdfast_actors.reconciliation.messages import BooksView, OrdersView
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_domain import events as ev
from holdfast_domain.money import ZERO
from holdfast_domain.reconciliation import Severity

from .desk import D
from .test_books import INSTRUMENTS, books_of, journals

PLAN = ReconcilePlan()
units = st.integers(-2_000, 2_000).map(lambda eighths: D(eighths) / 8)
holdings = st.dictionaries(st.sampled_from([*INSTRUMENTS, "GME"]), units)
cents = st.integers(-10_000_000, 10_000_000).map(lambda number: D(number) / 100)
purses = st.dictionaries(st.sampled_from(["USD", "EUR", "BTC"]), cents)


def seen_of(books: Books, positions: object, cash: object) -> Seen:
    """Return both sides: the books, and a venue that holds this."""
    held, purse = books.held_at("paper")
    view = BooksView(0, 1, 0, held, purse, books.capital(), dict(books.adjusted))
    there = There(positions=positions, cash=cash, orders=(), executions=())  # type: ignore[arg-type]
    nothing = OrdersView(0, "", 0, (), (), {}, {})
    return Seen(
        there=there,
        orders=nothing,
        books=view,
        watermark="W",
        next_watermark="",
        held={},
    )


def compared(seen: Seen) -> Compared:
    here = Here(
        positions=seen.books.positions,
        cash=seen.books.cash,
        lines=(),
        fills={},
        ended={},
        external=(),
    )
    return compare(here, seen.there, INSTRUMENTS, PLAN)


@given(journals, holdings, purses)
def test_one_judgement_brings_any_books_to_what_any_venue_holds(
    records: list[ev.Event],
    positions: dict[str, Decimal],
    cash: dict[str, Decimal],
) -> None:
    books = books_of(records)
    judge = Judge(
        venue="paper",
        account="a",
        instruments=INSTRUMENTS,
        price=lambda _symbol: D(10),
        plan=PLAN,
        book=ReconcileBook(),
    )
    seen = seen_of(books, positions, cash)
    differences = compared(seen).differences

    judged = judge.judge(differences, seen, any_size=True)
    for _ in range(2):  # the same report twice is the same report
        for record in judged.records:
            books.apply(record)

    assert len(judged.records) == len(judged.findings) == len(differences)
    assert compared(seen_of(books, positions, cash)).differences == ()
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for (_, unit), amount in books.balances.items():
        sums[unit] += amount
    assert set(sums.values()) <= {ZERO}


@given(journals, holdings, purses)
def test_a_difference_is_what_must_be_added_and_its_severity_its_part(
    records: list[ev.Event],
    positions: dict[str, Decimal],
    cash: dict[str, Decimal],
) -> None:
    for each in compared(seen_of(books_of(records), positions, cash)).differences:
        here, there = D(each.here or 0), D(each.there or 0)
        assert here + each.amount == there
        part = abs(each.amount) / max(abs(here), abs(there))
        assert (each.severity is Severity.CRITICAL) is (part > D("0.05"))
        assert (each.severity is Severity.MINOR) is (part < D("0.01"))
