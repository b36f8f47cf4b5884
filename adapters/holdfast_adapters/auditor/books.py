"""Fills and money: all there, once, and the same on both sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from .corrections import CORRECTING, Corrections, Words, corrections_of, words_of
from .opening import beside_capital
from .reading import NAN, Happening, Record, number
from .report import Check

Account = tuple[str, str]
"""Who holds it, and the unit: a currency or a symbol."""

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


class Moved(NamedTuple):
    """Units or cash that came without a trade, as one side tells it."""

    name: str
    """What makes it this one: nothing may be moved twice for the same reason."""

    unit: str
    amount: Decimal
    is_cash: bool


class Books(NamedTuple):
    """What both sides say was traded."""

    ours: list[Trade]
    """Fills as they were first booked."""

    theirs: list[Trade]
    """Executions that stand, with the values that they have now."""

    owners: Mapping[str, str]
    """Order to the strategy that intended it."""

    multipliers: Mapping[str, Decimal]
    executed: frozenset[str]
    """Every execution of the venue, also those that it took back."""

    changes: list[Trade]
    """What corrections took back of our fills, and what they put in place."""

    corrections: Corrections
    words: Words

    adjusted: list[Moved]
    moved: list[Moved]
    before: list[tuple[str, Decimal]]
    """What the account had before the engine came, as `beside_capital` tells it."""

    @property
    def booked(self) -> list[Trade]:
        """All that we booked; of one execution, all of it together is what it is."""
        return [*self.ours, *self.changes]


def books_of(
    records: Sequence[Record],
    venue: Sequence[Happening],
    multipliers: Mapping[str, Decimal],
) -> Books:
    """Return the trades of both records."""
    terms = {row.order_id: row.fields for row in venue if row.kind == "submitted"}
    executed = {
        _named(row.fields, row.venue): _trade(
            row.fields, row.order_id, terms.get(row.order_id, {}), row.venue
        )
        for row in venue
        if row.kind in ("executed", "corrected")
    }
    back = {_named(row.fields, row.venue) for row in venue if row.kind == "busted"}
    theirs = [trade for name, trade in executed.items() if name not in back]
    several = any(row.venue for row in venue)
    places = _places(records) if several else {}
    fills = [_part(r.fields, "fill") for r in records if r.kind == "OrderFilled"]
    ours = [_ours(fill, places) for fill in fills]
    theirs_too = (each for each in records if each.kind == "ExternalFilled")
    ours += [_external(each, named=several) for each in theirs_too]
    owners = {
        record.order_id: str(record.fields.get("strategy"))
        for record in records
        if record.kind == "OrderIntended"
    }
    changes = [
        trade
        for each in records
        if each.kind in CORRECTING
        for trade in _changes(each, places)
    ]
    corrections = corrections_of(records, venue, places)
    return Books(
        ours,
        theirs,
        owners,
        multipliers,
        frozenset(executed),
        changes,
        corrections,
        words_of(records),
        [_adjusted(each) for each in records if each.kind == "BooksAdjusted"],
        [_moved(row) for row in venue if row.kind == "moved"],
        beside_capital(records, venue),
    )


def check_books(books: Books) -> list[Check]:
    """Return the checks of fills, postings, sub-ledgers, positions and cash."""
    booked = Counter(trade.execution_id for trade in books.ours)
    told = books.words.orders
    lost = [
        _said(t)
        for t in books.theirs
        if t.execution_id not in booked and t.order_id not in told
    ]
    twice = [f"{name}: booked {n} times" for name, n in booked.items() if n > 1]
    sums = _sums(books)
    strange = [
        _said(t) for t in books.ours if _is_strange(t, sums[t.execution_id], books)
    ]
    adjusted = Counter(each.name for each in books.adjusted)
    again = [f"{name}: booked {n} times" for name, n in adjusted.items() if n > 1]
    return [
        Check("fills lost", lost),
        Check("fills booked twice", twice),
        Check("fills unknown to the venue", strange),
        Check("adjustments booked twice", again),
        Check("corrections lost or booked twice", _corrections(books, sums)),
        Check("a person's word that the venue contradicts", _contradicted(books)),
        Check("postings that do not sum to zero", _unbalanced(books, sums)),
        Check("sub-ledgers that differ from the account", _sub_ledgers(books)),
        *_holdings(books),
    ]


def _sums(books: Books) -> dict[str, dict[str, Decimal]]:
    """Return what each execution moved in our books, by unit.

    A fill that was booked twice counts once: that has a check of its own.
    """
    first = {trade.execution_id: [trade] for trade in reversed(books.ours)}
    for trade in books.changes:
        first.setdefault(trade.execution_id, []).append(trade)
    return {name: _legs(trades, books) for name, trades in first.items()}


def _is_strange(trade: Trade, sums: Mapping[str, Decimal], books: Books) -> bool:
    """Tell whether neither the venue nor a person knows of a fill that stands."""
    name = trade.execution_id
    known = name in books.executed or name.rpartition("/")[2] in books.words.fills
    return not known and bool(_differences(sums, {}))


def _corrections(books: Books, sums: Mapping[str, Mapping[str, Decimal]]) -> list[str]:
    """Compare the corrections of both sides: each is there, and once.

    One that came before its execution needs no booking, if the right values are there.
    """
    booked, made = books.corrections
    findings = [f"{name}: booked {n} times" for name, n in booked.items() if n > 1]
    theirs = {trade.execution_id: trade for trade in books.theirs}
    for name, execution in made.items():
        if name in booked or execution not in sums:
            continue
        stands = [theirs[execution]] if execution in theirs else []
        if _differences(sums[execution], _legs(stands, books)):
            findings.append(f"{name}: corrects {execution}, and was not booked")
    return findings


def _contradicted(books: Books) -> list[str]:
    """Compare what a person said was filled with what the venue executed."""
    findings = []
    for order in sorted(books.words.orders):
        ours = sum((t.units for t in books.booked if t.order_id == order), Decimal(0))
        true = sum((t.units for t in books.theirs if t.order_id == order), Decimal(0))
        if ours != true:
            findings.append(f"{order}: we have {ours}, the venue says {true}")
    return findings


def _unbalanced(books: Books, sums: Mapping[str, Mapping[str, Decimal]]) -> list[str]:
    """Book each execution twice over: our leg from the journal, theirs from the venue.

    What the venue took back leaves nothing, and what it did not take back stands.
    """
    theirs = {trade.execution_id: trade for trade in books.theirs}
    findings = []
    for name, legs in sums.items():
        if name not in books.executed:
            continue  # nobody has the other leg: see `_is_strange`
        stands = [theirs[name]] if name in theirs else []
        findings += [
            f"{name}: {unit} sums to {amount}"
            for unit, amount in _differences(legs, _legs(stands, books))
        ]
    return findings


def _differences(
    one: Mapping[str, Decimal], other: Mapping[str, Decimal]
) -> list[tuple[str, Decimal]]:
    """Return by how much two sums differ, for each unit in which they do."""
    zero = Decimal(0)
    units = sorted({*one, *other})
    differ = [(unit, one.get(unit, zero) - other.get(unit, zero)) for unit in units]
    return [(unit, amount) for unit, amount in differ if amount != 0]


def _sub_ledgers(books: Books) -> list[str]:
    """Compare what each strategy was booked with what its own orders traded."""
    booked: dict[Account, Decimal] = defaultdict(Decimal)
    traded: dict[Account, Decimal] = defaultdict(Decimal)
    for trade in books.booked:
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
    # What a person said has not the venue's price and fee: see `_contradicted`.
    told = books.words.orders
    ours = _legs((t for t in books.booked if t.order_id not in told), books)
    theirs = _legs((t for t in books.theirs if t.order_id not in told), books)
    for legs, moves in ((ours, books.adjusted), (theirs, books.moved)):
        for each in moves:
            legs[each.unit] += each.amount
    for unit, amount in books.before:
        theirs[unit] += amount
    units = sorted({*ours, *theirs})
    symbols = {trade.symbol for trade in (*books.ours, *books.theirs)}
    untraded = (*books.adjusted, *books.moved)
    symbols |= {each.unit for each in untraded if not each.is_cash}
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


def _changes(record: Record, places: Mapping[str, str]) -> list[Trade]:
    """Return what a correction takes back, and what it puts in place."""
    was, now = _part(record.fields, "was"), _part(record.fields, "now")
    trades = []
    if was:
        trade = _ours(was, places)
        trades.append(trade._replace(units=-trade.units, fee=-trade.fee))
    if now:
        trades.append(_ours(now, places))
    return trades


def _external(record: Record, *, named: bool) -> Trade:
    """Return what another hand traded, as the journal adopted it."""
    fill = _part(record.fields, "fill")
    venue = str(record.fields.get("venue", "")) if named else ""
    return _trade(fill, str(fill.get("order_id")), fill, venue)


def _adjusted(record: Record) -> Moved:
    get = record.fields.get
    venue, subject, unit = str(get("venue")), str(get("subject")), str(get("unit"))
    name = f"{venue}/{subject}/{unit}, number {get('ordinal')}"
    return Moved(name, unit, number(get("amount")), subject == "cash")


def _moved(row: Happening) -> Moved:
    get = row.fields.get
    unit, amount = str(get("unit")), number(get("amount"))
    name = f"{row.venue} {row.number}"
    return Moved(name, unit, amount, bool(get("is_cash")))


def _trade(
    body: Mapping[str, Any], order_id: str, terms: Mapping[str, Any], venue: str
) -> Trade:
    fee = _part(body, "fee")
    sign = _SIGNS.get(str(terms.get("side")), NAN)
    return Trade(
        execution_id=_named(body, venue),
        order_id=order_id,
        strategy=str(body.get("strategy", "")),
        symbol=str(terms.get("instrument")),
        units=number(body.get("quantity")) * sign,
        price=number(body.get("price")),
        fee=number(fee.get("amount")),
        currency=str(fee.get("currency")),
    )


def _named(body: Mapping[str, Any], venue: str) -> str:
    name = str(body.get("execution_id"))
    return f"{venue}/{name}" if venue else name


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def _said(trade: Trade) -> str:
    return (
        f"{trade.execution_id}: order {trade.order_id}, {trade.units} {trade.symbol} "
        f"at {trade.price}"
    )
