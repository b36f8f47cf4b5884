"""Fills and money: all there, once, and the same on both sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from .reading import Happening, Record
from .report import Check

Account = tuple[str, str]
"""Who holds it, and the unit: a currency or a symbol."""

_NAN = Decimal("NaN")
_SIGNS = {"buy": 1, "sell": -1}


class Trade(NamedTuple):
    """One execution as one side tells it."""

    execution_id: str
    """With the venue's name before it, where there are several."""

    order_id: str
    strategy: str
    symbol: str
    units: Decimal
    price: Decimal
    fee: Decimal
    currency: str


class Books(NamedTuple):
    """What both sides say was traded."""

    ours: list[Trade]
    theirs: list[Trade]
    owners: Mapping[str, str]
    """Order to the strategy that intended it."""

    multipliers: Mapping[str, Decimal]


def books_of(
    records: Sequence[Record],
    venue: Sequence[Happening],
    multipliers: Mapping[str, Decimal],
) -> Books:
    """Return the trades of both records."""
    terms = {row.order_id: row.fields for row in venue if row.kind == "submitted"}
    theirs = [
        _trade(row.fields, row.order_id, terms.get(row.order_id, {}), row.venue)
        for row in venue
        if row.kind == "executed"
    ]
    places = _places(records) if any(row.venue for row in venue) else {}
    fills = [_part(r.fields, "fill") for r in records if r.kind == "OrderFilled"]
    ours = [_ours(fill, places) for fill in fills]
    owners = {
        record.order_id: str(record.fields.get("strategy"))
        for record in records
        if record.kind == "OrderIntended"
    }
    return Books(ours, theirs, owners, multipliers)


def check_books(books: Books) -> list[Check]:
    """Return the checks of fills, postings, sub-ledgers, positions and cash."""
    booked = Counter(trade.execution_id for trade in books.ours)
    executed = {trade.execution_id: trade for trade in books.theirs}
    lost = [_said(t) for t in books.theirs if t.execution_id not in booked]
    twice = [f"{name}: booked {n} times" for name, n in booked.items() if n > 1]
    strange = [_said(t) for t in books.ours if t.execution_id not in executed]
    return [
        Check("fills lost", lost),
        Check("fills booked twice", twice),
        Check("fills unknown to the venue", strange),
        Check("postings that do not sum to zero", _unbalanced(books, executed)),
        Check("sub-ledgers that differ from the account", _sub_ledgers(books)),
        *_holdings(books),
    ]


def _unbalanced(books: Books, executed: Mapping[str, Trade]) -> list[str]:
    """Book each fill twice over: our leg from the journal, theirs from the venue."""
    findings = []
    for trade in books.ours:
        other = executed.get(trade.execution_id, trade)
        sums = _legs([trade], books)
        for unit, amount in _legs([other], books).items():
            sums[unit] -= amount
        findings += [
            f"{trade.execution_id}: {unit} sums to {amount}"
            for unit, amount in sums.items()
            if amount != 0
        ]
    return findings


def _sub_ledgers(books: Books) -> list[str]:
    """Compare what each strategy was booked with what its own orders traded."""
    booked: dict[Account, Decimal] = defaultdict(Decimal)
    traded: dict[Account, Decimal] = defaultdict(Decimal)
    for trade in books.ours:
        owner = books.owners.get(trade.order_id, trade.strategy)
        for unit, amount in _legs([trade], books).items():
            booked[trade.strategy, unit] += amount
            traded[owner, unit] += amount
    return [
        f"{who}: {unit} is {booked[who, unit]}, its orders make {traded[who, unit]}"
        for who, unit in sorted({*booked, *traded})
        if booked[who, unit] != traded[who, unit]
    ]


def _holdings(books: Books) -> Iterable[Check]:
    ours, theirs = _legs(books.ours, books), _legs(books.theirs, books)
    units = sorted({*ours, *theirs})
    symbols = {trade.symbol for trade in (*books.ours, *books.theirs)}
    differ = {
        unit: f"{unit}: we hold {ours[unit]}, the venue says {theirs[unit]}"
        for unit in units
        if ours[unit] != theirs[unit]
    }
    held = [text for unit, text in differ.items() if unit in symbols]
    cash = [text for unit, text in differ.items() if unit not in symbols]
    yield Check("positions that differ from the venue's", held)
    yield Check("cash that differs from the venue's", cash)


def _legs(trades: Iterable[Trade], books: Books) -> dict[str, Decimal]:
    """Return what the trades move into our account, by unit."""
    legs: dict[str, Decimal] = defaultdict(Decimal)
    for trade in trades:
        multiplier = books.multipliers.get(trade.symbol, Decimal(1))
        legs[trade.symbol] += trade.units
        legs[trade.currency] -= trade.price * trade.units * multiplier + trade.fee
    return legs


def _places(records: Sequence[Record]) -> dict[str, str]:
    """Return at which venue each order was meant to trade."""
    return {
        record.order_id: str(record.fields.get("venue", ""))
        for record in records
        if record.kind == "OrderIntended"
    }


def _ours(fill: Mapping[str, Any], places: Mapping[str, str]) -> Trade:
    order_id = str(fill.get("order_id"))
    return _trade(fill, order_id, fill, places.get(order_id, ""))


def _trade(
    body: Mapping[str, Any], order_id: str, terms: Mapping[str, Any], venue: str
) -> Trade:
    name = str(body.get("execution_id"))
    fee = _part(body, "fee")
    sign = _SIGNS.get(str(terms.get("side")), _NAN)
    return Trade(
        execution_id=f"{venue}/{name}" if venue else name,
        order_id=order_id,
        strategy=str(body.get("strategy", "")),
        symbol=str(terms.get("instrument")),
        units=_number(body.get("quantity")) * sign,
        price=_number(body.get("price")),
        fee=_number(fee.get("amount")),
        currency=str(fee.get("currency")),
    )


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: object) -> Decimal:
    """Return what is written; NaN equals nothing, so that it is found by any check."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return _NAN


def _said(trade: Trade) -> str:
    return (
        f"{trade.execution_id}: order {trade.order_id}, {trade.units} {trade.symbol} "
        f"at {trade.price}"
    )
