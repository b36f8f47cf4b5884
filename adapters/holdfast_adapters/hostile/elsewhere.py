"""What happens in the account besides what was matched: over-fills, and other hands."""

from __future__ import annotations

from decimal import Decimal

import attrs
from msgspec.structs import replace

from holdfast_adapters.hostile.changes import Changes
from holdfast_adapters.paper.account import Trade, balances_of, positions_of
from holdfast_adapters.paper.core import PaperCore
from holdfast_adapters.paper.records import Row, Submitted
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import ZERO, Money, Price, Quantity, to_decimal
from holdfast_domain.orders import OrderTerms, Side
from holdfast_domain.ports import (
    Balances,
    Executed,
    Found,
    OpenOrders,
    Positions,
    VenueOrder,
    VenuePosition,
)


@attrs.frozen
class Extra:
    """An execution that the core has not matched."""

    cursor: int
    base: int
    """The number of the core's execution on which it rests, for its place in lists."""

    terms: OrderTerms
    event: Executed
    hand: str = ""
    """The order of another hand; empty for an over-fill."""


@attrs.frozen(kw_only=True)
class Moved:
    """Cash or units came into the account without a trade."""

    unit: str
    amount: Decimal
    is_cash: bool


class Elsewhere:
    """Over-fills, trades and orders of other hands, and transfers."""

    def __init__(self, core: PaperCore, changes: Changes, venue: str) -> None:
        """Name other hands after ``venue``: no two venues give one order id."""
        self._venue = venue
        self._core = core
        self._changes = changes
        self._extras: list[Extra] = []
        self._moves: list[tuple[int, Moved]] = []
        self._orders: list[Found] = []

    # --- what happens ------------------------------------------------------------

    def overfill(self, fill: Executed, terms: OrderTerms) -> list[Executed]:
        """Execute more of an order than it asked for; only one that is complete."""
        if fill.cumulative.value < terms.quantity.value:
            return []
        more = Decimal(1)
        extra = replace(
            fill,
            execution_id=f"{fill.execution_id}+",
            quantity=Quantity(more),
            fee=Money(ZERO, fill.fee.currency),
            cumulative=Quantity(fill.cumulative.value + more),
        )
        known = {each.event.execution_id for each in self._extras}
        if extra.execution_id not in known:
            base = number_of(fill.execution_id)
            self._extras.append(Extra(self._core.cursor, base, terms, extra))
        return [extra]

    def trade(
        self, instrument: str, side: Side, quantity: Decimal, price: Decimal, unit: str
    ) -> Executed:
        """Let another hand trade in the account, at no fee."""
        core = self._core
        base = number_of(core.watermark)
        number = len(self._extras) + 1
        hand = f"{self._venue}-hand-{number}"
        terms = OrderTerms(
            instrument=instrument, side=side, quantity=Quantity(quantity)
        )
        event = Executed(
            order_id=hand,
            execution_id=f"X{base}h{number}",
            quantity=Quantity(quantity),
            price=Price(price),
            fee=Money(ZERO, unit),
            filled_at=utc_from_us(core.time_us),
            cumulative=Quantity(quantity),
            instrument=instrument,
            side=side,
        )
        self._extras.append(Extra(core.cursor, base, terms, event, hand))
        return event

    def transfer(self, money: Money) -> None:
        """Move cash into the account, or out of it."""
        moved = Moved(unit=money.currency, amount=money.amount, is_cash=True)
        self._moves.append((self._core.cursor, moved))

    def move_units(self, instrument: str, units: Decimal) -> None:
        """Move units (signed) into the account without a trade."""
        moved = Moved(unit=instrument, amount=units, is_cash=False)
        self._moves.append((self._core.cursor, moved))

    def place(self, order: Found) -> None:
        """Let another hand have a working order; it is never matched."""
        self._orders.append(order)

    def withdraw(self, venue_order_id: str) -> None:
        """Let another hand cancel its order."""
        self._orders = [o for o in self._orders if o.venue_order_id != venue_order_id]

    def act(self, kind: str, size: int) -> None:
        """Let another hand do one of the faults of `Op.HAND`, so much of it."""
        instruments = self._core.world.instruments
        symbol = sorted(instruments)[size % len(instruments)]
        side = Side.SELL if size % 3 == 0 else Side.BUY
        instrument, units = instruments[symbol], Decimal(size)
        match kind:
            case "hand_trade":
                last = self._core.last(symbol)
                price = Decimal(1) if last is None else to_decimal(last.close)
                self.trade(symbol, side, units, price, instrument.currency)
            case "moved_units":
                self.move_units(symbol, units * side.sign)
            case "moved_cash":
                self.transfer(Money(units * side.sign * 10, instrument.currency))
            case _:
                self._place_or_withdraw(symbol, side, units)

    def _place_or_withdraw(self, symbol: str, side: Side, units: Decimal) -> None:
        """Let an order of another hand begin to work; or all of them end."""
        if self._orders:
            self._orders.clear()
            return
        self.place(
            Found(
                venue_order_id=f"H{len(self._extras) + 1}",
                instrument=symbol,
                side=side,
                quantity=Quantity(units),
                placed_at_us=self._core.time_us,
                cumulative=None,
                events=(),
            )
        )

    # --- what is shown -----------------------------------------------------------

    def visible(self) -> list[Extra]:
        """Return the executions that the engine may see, oldest first."""
        return [each for each in self._extras if each.cursor <= self._core.cursor]

    def of_order(self, order_id: str) -> list[Executed]:
        """Return the visible extra executions of an order."""
        return [e.event for e in self.visible() if e.event.order_id == order_id]

    def open_orders(self) -> OpenOrders:
        """Return all working orders, those of other hands too."""
        found = self._core.open_orders()
        left = self._changes.left_of
        mine = [
            each
            if each.cumulative is None
            else replace(each, cumulative=left(each.order_id, each.cumulative))
            for each in found.orders
        ]
        orders = [*mine, *self._orders]
        return replace(found, orders=orders, watermark=self._shown())

    def positions(self) -> Positions:
        """Return what the account holds."""
        world = self._core.world
        held = {
            each.instrument: each
            for each in positions_of(self._trades(), world.instruments, world.held)
        }
        for moved in self._moved(is_cash=False):
            before = held.get(moved.unit)
            units = moved.amount + (ZERO if before is None else before.quantity)
            held[moved.unit] = VenuePosition(instrument=moved.unit, quantity=units)
        shown = [each for each in held.values() if each.quantity]
        at = self._core.at
        return Positions(positions=shown, at=at, watermark=self._shown())

    def balances(self) -> Balances:
        """Return the account's cash."""
        world = self._core.world
        opening = dict(world.opening)
        for moved in self._moved(is_cash=True):
            opening[moved.unit] = opening.get(moved.unit, ZERO) + moved.amount
        found = balances_of(self._trades(), world.instruments, opening)
        at = self._core.at
        return Balances(balances=found, at=at, watermark=self._shown())

    def _moved(self, *, is_cash: bool) -> list[Moved]:
        cursor = self._core.cursor
        return [m for at, m in self._moves if at <= cursor and m.is_cash is is_cash]

    def rows(self) -> list[Row]:
        """Return all of it for the venue's own record, in order."""
        rows: list[Row] = []
        for each in self._extras:
            if each.hand:
                at_us = int(each.event.filled_at.timestamp() * 1_000_000)
                order = VenueOrder(
                    order_id=each.hand, terms=each.terms, placed_at_us=at_us
                )
                rows.append((each.cursor, Submitted(order=order)))
            rows.append((each.cursor, each.event))
        return rows

    def moves(self) -> list[Moved]:
        """Return all that moved without a trade, oldest first."""
        return [moved for _, moved in self._moves]

    def _trades(self) -> list[Trade]:
        extra = [(each.terms, each.event) for each in self.visible()]
        return self._changes.standing([*self._core.trades(), *extra])

    def _shown(self) -> str:
        known = self._core.watermark
        extra, changes = self.visible(), self._changes.visible()
        known = f"{known}/{extra[-1].event.execution_id}" if extra else known
        return f"{known}/{changes[-1].correction_id}" if changes else known


def number_of(execution_id: str) -> int:
    """Return the number of an execution of the core, or of one that rests on it."""
    digits = execution_id.removeprefix("X").partition("h")[0].rstrip("+")
    return int(digits or 0)
