"""The desk without its sockets: orders and one account, around the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

from holdfast_adapters.matching import FillAt, FillModel, MatchingEngine
from holdfast_adapters.matching.checks import checked
from holdfast_adapters.matching.model import (
    EngineRecord,
    LastBar,
    Trailed,
    Triggered,
)
from holdfast_adapters.simulators.ib.auctions import Auctions, waits
from holdfast_adapters.simulators.ib.brackets import Brackets, Parked
from holdfast_adapters.simulators.ib.hours import day_end_us
from holdfast_adapters.simulators.ib.model import (
    Asked,
    Refused,
    SimContract,
    SimExecution,
    SimOrder,
    SimPosition,
    What,
)
from holdfast_adapters.simulators.ib.record import Record
from holdfast_adapters.simulators.ib.terms import (
    UNKNOWN,
    asked_with,
    check_margin,
    said,
    terms_of,
)
from holdfast_adapters.simulators.ib.wire import Value
from holdfast_adapters.simulators.ib.worth import values_of
from holdfast_adapters.simulators.intervals import TradeBook
from holdfast_domain.errors import VenueRefused
from holdfast_domain.money import ZERO
from holdfast_domain.orders import OrderTerms, TimeInForce
from holdfast_domain.ports import Ended, Executed, Replaced, VenueOrder, WallClock

LEAST_COMMISSION: Final = Decimal(1)
PER_SHARE: Final = Decimal("0.005")
ACCOUNT: Final = "DU1234567"
FIRST_PERM_ID: Final = 1_500_000_000

ACTIVE: Final = ("MKT", "LMT", "MOC", "LOC")


Told: TypeAlias = Callable[[What, SimOrder, SimExecution | None], None]


class Desk:
    """One account. Synchronous: what is asked is done when it returns.

    The market is what `trade` says: a price at which so much can be had, by whom it may
    be, until the next.
    """

    def __init__(
        self,
        contracts: Sequence[SimContract],
        cash: Decimal,
        clock: WallClock,
        *,
        record: Path | None = None,
        account: str = ACCOUNT,
        leverage: Decimal = Decimal(4),
        past_days: int = 0,
    ) -> None:
        """Keep the record at ``record``; ``leverage`` times the cash can be bought.

        The contracts were traded for ``past_days`` before the first trade.
        """
        self.books = {
            each.con_id: TradeBook(each, each.symbol, past_days) for each in contracts
        }
        self.contracts = {each.con_id: each for each in contracts}
        self.account = account
        self.cash = cash
        self.positions: dict[int, SimPosition] = {}
        self.orders: dict[tuple[int, int], SimOrder] = {}
        """By the ids of client and order."""

        self.executions: list[SimExecution] = []
        self.next_ids: dict[int, int] = {}
        """What each client is told; a test may roll it back."""

        self.on_order: list[Told] = []
        self.on_market: list[Callable[[SimContract, Decimal, Decimal], None]] = []
        self.record = Record(record)
        self.record.opened("USD", cash)
        self._clock = clock
        self._leverage = leverage
        self._last: dict[str, LastBar] = {}
        self._by_perm: dict[str, SimOrder] = {}
        self._auctions = Auctions()
        self._engine = MatchingEngine(
            {str(each.con_id): each.instrument for each in contracts},
            FillModel(fill=FillAt.THIS_CLOSE, participation=Decimal(1)),
            record=self._happened,
            session_end_us=self._day_end_us,
        )
        self.brackets = Brackets(
            self._engine, self.orders, self._tell_order, self._happened
        )

    # --- the market (the engine's `MarketView`) ---------------------------------------

    @property
    def time_us(self) -> int:
        """The desk's time."""
        return self._clock.now_us()

    def last(self, symbol: str) -> LastBar | None:
        """Return the last trade of the market, if there was one."""
        return self._last.get(symbol)

    def last_price(self, contract: SimContract) -> Decimal | None:
        """Return the price of the last trade."""
        known = self._last.get(str(contract.con_id))
        return None if known is None else Decimal(str(known.close))

    def trade(self, symbol: str, price: Decimal, quantity: Decimal) -> None:
        """Let the market trade: resting orders match, and so do those that follow."""
        contract = self.named(symbol)
        key = str(contract.con_id)
        known = self._last.get(key)
        at_us = max(self.time_us, known.ended_at_us + 1 if known else 0)
        self._last[key] = LastBar(float(price), float(quantity), at_us)
        self.books[contract.con_id].trade(self.time_us // 1000, price, quantity)
        for tell in self.on_market:
            tell(contract, price, quantity)
        self._engine.on_bar(
            key,
            open_=float(price),
            high=float(price),
            low=float(price),
            close=float(price),
            volume=float(quantity),
            opened_at_us=at_us,
            ended_at_us=at_us,
        )
        self.record.commit()

    def auction(self, symbol: str, force: TimeInForce) -> None:
        """Hold the auction at the open or the close, at the last price."""
        for order in self._auctions.called(str(self.named(symbol).con_id), force):
            self._engine.submit(order, self)
        self.record.commit()

    def named(self, symbol: str) -> SimContract:
        """Return the first contract with this symbol.

        Raises:
            KeyError: there is none.
        """
        for each in self.contracts.values():
            if symbol in (each.symbol, each.local):
                return each
        raise KeyError(symbol)

    def found(self, asked: Mapping[str, str]) -> list[SimContract]:
        """Return the contracts that are meant by the fields of a request.

        Raises:
            Refused: there is none.
        """
        found = [each for each in self.contracts.values() if each.fits(asked)]
        if not found:
            raise Refused(200, UNKNOWN)
        return found

    # --- requests -------------------------------------------------------------------

    def next_id(self, client_id: int) -> int:
        """Return the id from which the client may number its orders."""
        return self.next_ids.get(client_id, 1)

    def place(self, asked: Asked) -> SimOrder:
        """Take a new order, or new terms for one that works, and match it.

        Raises:
            Refused: nothing is kept of it.
        """
        known = self.orders.get((asked.client_id, asked.order_id))
        if known is not None:
            return self._change(known, asked)
        if asked.order_id < self.next_id(asked.client_id):
            raise Refused(103, "Duplicate order id")
        if asked.account not in ("", self.account):
            raise Refused(
                321, f"Error validating request: invalid account {asked.account}"
            )
        terms = terms_of(asked)
        self._check(terms, asked)
        self.brackets.check(asked)
        self.next_ids[asked.client_id] = asked.order_id + 1
        order = SimOrder(
            asked=asked,
            perm_id=FIRST_PERM_ID + len(self._by_perm),
            status="Inactive",
            is_parked=True,
        )
        self.orders[asked.client_id, asked.order_id] = order
        self._by_perm[str(order.perm_id)] = order
        if asked.transmit:
            self._transmit(self.brackets.with_children(order))
        else:
            self._tell_order(order)
        return order

    def _transmit(self, orders: list[SimOrder]) -> None:
        """Let IB have orders that belong together, a parent before its children."""
        sent = self.brackets.transmitted(orders, self.time_us)
        for order, venue_order in sent:
            order.is_parked, order.status = False, "PreSubmitted"
            self.record.placed(order, venue_order)
            self._tell_order(order)
        for _, venue_order in reversed(sent):  # exits are there when the entry fills
            if waits(venue_order.terms):
                self._auctions.add(venue_order)
            else:
                self._engine.submit(self.brackets.submit(venue_order), self)
        for order, venue_order in sent:
            is_held = venue_order.leg is not None and venue_order.leg.is_held
            is_active = order.asked.type in ACTIVE and not is_held
            if order.status == "PreSubmitted" and is_active:
                order.status = "Submitted"
                self._tell_order(order)
        self.record.commit()

    def left(self, client_id: int | None) -> None:
        """Do with what a client did not have transmitted what TWS does at its end."""
        if self.brackets.parked is Parked.DROPPED:
            for key in [k for k, each in self.orders.items() if each.is_parked]:
                if key[0] == client_id:
                    del self.orders[key]

    def cancel(self, client_id: int, order_id: int) -> SimOrder:
        """Cancel an order that works.

        Raises:
            Refused: there is no such order, or it has ended.
        """
        order = self.orders.get((client_id, order_id))
        subject = f"OrderId {order_id} that needs to be cancelled"
        if order is None:
            raise Refused(10147, f"{subject} is not found.")
        if order.has_ended:
            words = f"{subject} cannot be cancelled, state: {order.status}."
            raise Refused(10148, words)
        order.why, name = "Cancelled by Trader", str(order.perm_id)
        if order.is_parked:
            for each in self.brackets.with_children(order):
                if each is order or not order.asked.parent_id:
                    self._ended(each)
        elif name in self._auctions:
            self._auctions.remove(name)
            self._ended(order)
        else:
            self._engine.cancel(name)
        self.record.commit()
        return order

    def open_orders(self) -> list[SimOrder]:
        """Return the orders that work, or wait to be transmitted, as far as shown."""
        return [each for each in self._shown() if not each.has_ended]

    def completed_orders(self) -> list[SimOrder]:
        """Return the orders that have ended."""
        return [each for each in self._shown() if each.has_ended]

    def _shown(self) -> list[SimOrder]:
        return [o for o in self.orders.values() if not self.brackets.hides(o)]

    def values(self) -> list[tuple[str, Value, str]]:
        """Return the account's values: key, value and unit."""
        return values_of(
            self.cash, self.positions, self.contracts, self.last_price, self._leverage
        )

    # --- inside ---------------------------------------------------------------------

    def _day_end_us(self, con_id: str, at_us: int) -> int:
        contract = self.contracts[int(con_id)]
        return day_end_us(contract.hours, contract.zone, at_us)

    def _check(self, terms: OrderTerms, asked: Asked) -> None:
        try:
            checked(terms, self._engine.instruments, self)
        except VenueRefused as error:
            raise said(error) from error
        held = self.positions.get(asked.contract.con_id, SimPosition()).quantity
        price = asked.limit or asked.aux or self.last_price(asked.contract) or ZERO
        check_margin(asked, held, price / self._leverage, self.cash)

    def _change(self, order: SimOrder, asked: Asked) -> SimOrder:
        if order.has_ended:
            raise Refused(104, "Cannot modify a filled order.")
        name, terms = str(order.perm_id), terms_of(asked)
        try:
            if name in self._auctions:
                changed = VenueOrder(
                    order_id=name, terms=terms, placed_at_us=self.time_us
                )
                self._auctions.add(changed)
                self._happened(Replaced(order_id=name, terms=terms))
            else:
                self._engine.replace(name, terms, self)
        except VenueRefused as error:
            raise said(error) from error
        self.record.commit()
        return order

    def _happened(self, record: EngineRecord) -> None:
        order = self._by_perm[record.order_id]
        match record:
            case Executed():
                self._executed(order, record)
            case Ended():
                self._ended(order)
            case Replaced(terms=terms):
                order.asked = asked_with(order.asked, terms)
                self.record.changed(order, terms, self.time_us)
                self._tell_order(order)
            case Triggered():
                order.status = "Submitted"
                self._tell_order(order)
            case Trailed(best=best):
                working = self._engine.open[str(order.asked.contract.con_id)][
                    record.order_id
                ]
                order.trail_stop = working.stop_behind(best)
                self._tell(What.OPEN, order)
            case _:
                pass  # the desk says itself that it has an order

    def _executed(self, order: SimOrder, event: Executed) -> None:
        asked, shares, price = order.asked, event.quantity.value, event.price.value
        sign = 1 if asked.action == "BUY" else -1
        order.filled += shares
        order.worth += shares * price
        order.last_price = price
        number = len(self.executions) + 1
        made = SimExecution(
            execution_id=f"0000e0d5.{number:08x}.01.01",
            order=order,
            shares=shares,
            price=price,
            cumulative=order.filled,
            average=order.average,
            commission=max(LEAST_COMMISSION, PER_SHARE * shares),
            at_us=self.time_us,
        )
        self.executions.append(made)
        held = self.positions.setdefault(asked.contract.con_id, SimPosition())
        held.take(sign * shares, price)
        self.cash -= sign * shares * price * asked.contract.units + made.commission
        if order.left:
            order.status = "Submitted"
        else:
            order.status, order.ended_us = "Filled", self.time_us
        self.record.executed(made)
        # As recorded: an execution comes before the status that it brings about.
        self._tell(What.EXECUTION, order, made)
        self._tell_order(order)
        self._tell(What.OPEN, order)
        self._tell(What.COMMISSION, order, made)
        self.brackets.filled(order, self._after_us(order))

    def _after_us(self, order: SimOrder) -> int:
        """Return the moment behind the last trade of an order's contract."""
        last = self._last.get(str(order.asked.contract.con_id))
        return max(self.time_us, last.ended_at_us if last else 0) + 1

    def _ended(self, order: SimOrder) -> None:
        order.status, order.ended_us = "Cancelled", self.time_us
        order.why = order.why or "Cancelled by the exchange"
        if not order.is_parked:
            self.record.ended(order)
        self._tell(What.STATUS, order)
        self._tell(What.CANCELED, order)
        self.brackets.ended(order, self.time_us)

    def _tell_order(self, order: SimOrder) -> None:
        self._tell(What.OPEN, order)
        self._tell(What.STATUS, order)

    def _tell(
        self, what: What, order: SimOrder, made: SimExecution | None = None
    ) -> None:
        if self.brackets.hides(order) and what is not What.CANCELED:
            return
        for tell in self.on_order:
            tell(what, order, made)
