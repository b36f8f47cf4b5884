"""A fork: the books with which a second tree begins, as the first one's stand now.

It is made of the journal alone, by the projections with which a restart is made. So
nobody is asked for anything, and all of it is as of one record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import takewhile

import attrs
from msgspec.structs import replace

from holdfast_actors.books import SubLedger
from holdfast_actors.folding import Fold
from holdfast_actors.orderbook import OrderRow
from holdfast_actors.parts import Parts
from holdfast_actors.reservations import Reservation
from holdfast_actors.strategy.restore import Past
from holdfast_adapters.journal import codec
from holdfast_domain import events as ev
from holdfast_domain.forks import Held
from holdfast_domain.money import ZERO, Money, Price, Quantity
from holdfast_domain.orders import OrderState
from holdfast_domain.positions import FLAT, Position

NOT_TAKEN = "it rests at the venue, and is not taken along to paper"


@attrs.frozen(kw_only=True)
class Fork:
    """How the books of a fork begin."""

    events: tuple[ev.Event, ...]
    """The records with which its journal opens."""

    cursor: int
    time_us: int
    """Market time, in microseconds UTC."""

    @property
    def cash(self) -> Mapping[str, Decimal]:
        """What lies at the venue, by currency."""
        cash: dict[str, Decimal] = {}
        for each in self.forked():
            unit = each.cash.currency
            cash[unit] = cash.get(unit, ZERO) + each.cash.amount
        return cash

    @property
    def positions(self) -> Mapping[str, Position]:
        """What is held there, by instrument."""
        held: dict[str, Position] = {}
        for each in self.forked():
            for own in each.positions:
                before = held.get(own.instrument, FLAT)
                after = before.after(own.amount, own.cost_basis.value)
                held[own.instrument] = replace(after, realised=ZERO)
        return held

    def forked(self) -> Iterator[ev.StrategyForked]:
        """Yield how each strategy begins."""
        return (e for e in self.events if isinstance(e, ev.StrategyForked))


_OPENING = (ev.EngineStarted, ev.CapitalAllotted, ev.StrategyForked)


def kept_fork(entries: Iterable[ev.Entry]) -> Fork | None:
    """Return what a journal opens with, but for its orders; None if it is empty.

    Reads no further than that.
    """
    opening = list(takewhile(lambda each: isinstance(each.event, _OPENING), entries))
    if not opening:
        return None
    return Fork(
        events=tuple(each.event for each in opening),
        cursor=opening[0].cursor,
        time_us=opening[0].market_time_us,
    )


def fork_of(parts: Parts, venue: str) -> Fork:
    """Return the fork of all strategies of an engine, as its journal ends; blocks.

    Raises:
        JournalError: the journal is damaged.
    """
    fold, cursor, time_us = _folded(parts)
    events: list[ev.Event] = []
    for name in parts.shape.strategies:
        events += _strategy(name, fold, parts, venue, cursor)
    for index, row in enumerate(fold.orders.open.values()):
        events += _order(row, index, time_us, parts)
    return Fork(events=tuple(events), cursor=cursor, time_us=time_us)


def _folded(parts: Parts) -> tuple[Fold, int, int]:
    """Return every owner's state by the last record, with its cursor and time."""
    fold, used = Fold(parts.shape, codec), parts.recovery.used()
    cursor, time_us = parts.clock.cursor, parts.clock.now_us
    if used is not None:
        fold.load(used.sections, used.sequence)
        cursor, time_us = used.cursor, used.market_time_us
    fold.take(parts.store.read(fold.sequence))
    if fold.last is not None:
        cursor, time_us = fold.last.cursor, fold.last.market_time_us
    return fold, cursor, time_us


def _strategy(
    name: str, fold: Fold, parts: Parts, venue: str, cursor: int
) -> tuple[ev.CapitalAllotted, ev.StrategyForked]:
    ledger, past = fold.books.sub_ledgers()[name], fold.strategies[name].past
    (unit,) = ledger.capital
    cash = ledger.cash.get(unit, ZERO)
    worth = cash + sum(_worth(ledger, parts), ZERO)
    return (
        ev.CapitalAllotted(strategy=name, money=Money(worth, unit)),
        ev.StrategyForked(
            strategy=name,
            engine=parts.engine,
            record=fold.sequence,
            venue=venue,
            # One that has never said how it stands is not fed its whole past.
            cursor=cursor if past.is_first else past.cursor,
            time_us=past.time_us,
            starting_cash=Money(ledger.capital[unit], unit),
            cash=Money(cash, unit),
            positions=tuple(_held(ledger, parts)),
            state=_state(past),
        ),
    )


def _worth(ledger: SubLedger, parts: Parts) -> Iterator[Decimal]:
    for each in _held(ledger, parts):
        instrument = parts.instruments[each.instrument]
        price = parts.prices.last(each.instrument) or each.cost_basis.value
        yield instrument.notional(price, each.amount)


def _held(ledger: SubLedger, parts: Parts) -> Iterator[Held]:
    for symbol, held in ledger.positions.items():
        if held.amount and symbol in parts.instruments:
            yield Held(
                instrument=symbol,
                amount=held.amount,
                cost_basis=Price(held.cost_basis),
            )


def _state(past: Past) -> str:
    """Return all attributes as they were saved last, whenever that was."""
    decided: dict[str, str | None] = {**dict.fromkeys(past.gone), **past.decided}
    return json.dumps({**decided, **past.between})


def _order(row: OrderRow, index: int, time_us: int, parts: Parts) -> Iterator[ev.Event]:
    """Yield the records of an order that works, or may.

    What stands alone is intended anew, and so a start looks it up at the venue on
    paper, which does not have it, and places it. Others count as taken back.
    """
    order_id, strategy, terms = row.order_id, row.strategy, row.terms
    valid_us = parts.limits.submit_valid_s * 1_000_000
    whole = row.reserved or Money(ZERO, parts.instruments[terms.instrument].currency)
    part = whole.amount
    if row.filled:
        part = Reservation.part(part, terms, row.left)
    yield ev.OrderIntended(
        order_id=order_id,
        strategy=strategy,
        decision=0,
        index=index,
        venue=row.venue,
        terms=replace(terms, quantity=Quantity(row.left)) if row.left else terms,
        reserved=Money(part, whole.currency),
        valid_until_us=time_us + valid_us,
    )
    is_ending = row.cancel_wanted or row.state is OrderState.CANCEL_PENDING
    if row.leg is None and row.left and not is_ending:
        return
    yield ev.OrderNotSent(order_id=order_id, strategy=strategy, proof=NOT_TAKEN)
    yield ev.OrderNotPlaced(
        order_id=order_id, strategy=strategy, reason=NOT_TAKEN, canceled=True
    )
