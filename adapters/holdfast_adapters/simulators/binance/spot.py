"""The spot exchange: what it has besides orders that stand alone, which is lists.

Source: binance-spot-api-docs, rest-api.md, "Order lists"; user-data-stream.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from holdfast_adapters.simulators.binance.checks import (
    Asked,
    check_crossing,
    check_market,
)
from holdfast_adapters.simulators.binance.exchange import BaseExchange
from holdfast_adapters.simulators.binance.listshapes import list_status
from holdfast_adapters.simulators.binance.model import (
    CLOSED,
    PENDING,
    Refused,
    SimBalance,
    SimList,
    SimOrder,
)
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.ports import Executed, VenueOrder


class Exchange(BaseExchange):
    """One account at the spot exchange."""

    def place_list(
        self, kind: ListKind, asked: Sequence[Asked], client_id: str
    ) -> SimList:
        """Take a list, all or nothing, and match it; the orders are as by `ROLES`.

        Raises:
            Refused: nothing is kept of it.
        """
        made = SimList(
            number=len(self.lists), client_id=client_id, kind=kind, orders=[]
        )
        self._check_list(made, asked)
        for each in asked:
            order = self._made(each)
            order.list_number = made.number
            self.orders.append(order)
            made.orders.append(order)
        try:
            self._lock_list(made)
        except Refused:
            del self.orders[-len(made.orders) :]
            raise
        self.lists.append(made)
        sent = self._sent(made)
        for order, venue_order in zip(made.orders, sent, strict=True):
            name = made.orders[0].client_id
            self.record.placed(order, venue_order, None, list_of=name)
            self._tell(order, "NEW")
        self._tell_list(made, "EXEC_STARTED", "EXECUTING")
        self._engine.submit_list(sent, self)
        self.record.commit()
        return made

    def cancel(
        self, order: SimOrder, cancel_id: str, *, is_change: bool = False
    ) -> None:
        """Cancel an order that works, and with a leg all that is left of its list.

        Raises:
            Refused: it has ended.
        """
        bound = self.list_of(order)
        if bound is None or is_change or order.status in CLOSED:
            super().cancel(order, cancel_id, is_change=is_change)
            return
        for each in bound.orders:
            if each.status not in CLOSED:
                self._ended(each, "CANCELED", cancel_id)
        self._engine.cancel(str(order.number))
        self.record.commit()

    def list_of(self, order: SimOrder) -> SimList | None:
        """Return the list of an order, if it has one."""
        return self.lists[order.list_number] if order.list_number >= 0 else None

    # --- a new list --------------------------------------------------------------

    def _check_list(self, made: SimList, asked: Sequence[Asked]) -> None:
        symbol = self._symbol(asked[0].symbol)
        last = self._price(symbol.name)
        names = [each.client_id for each in asked]
        if len({*names, made.client_id}) != len(names) + 1:
            raise Refused(-2010, "Duplicate order sent.")
        for each in asked[:1]:
            self._check(each, symbol)
        for each in asked[1:]:
            # A leg that waits is judged against the market once it works.
            waits = made.kind is ListKind.BRACKET
            check_market(each, symbol, None if waits else last)
            if any(each.client_id == o.client_id for o in self.open_orders()):
                raise Refused(-2010, "Duplicate order sent.")
        prices = sorted((asked[-2].price, asked[-1].stop_price))
        if made.kind is ListKind.OCO and last and not prices[0] < last < prices[1]:
            message = "The relationship of the prices for the orders is not correct."
            raise Refused(-2010, message)

    def _lock_list(self, made: SimList) -> None:
        if made.entry is None:
            self._lock_exits(made)
            return
        self._lock(made.entry)
        for each in made.exits:
            each.status = PENDING

    def _lock_exits(self, made: SimList) -> None:
        """Lock what the dearer of the exits may cost.

        Raises:
            Refused: there is not so much.
        """
        funds = [self._funds(each, each.quantity) for each in made.exits]
        asset, amount = max(funds, key=lambda each: each[1])
        balance = self.balances.setdefault(asset, SimBalance())
        if balance.free < amount:
            raise Refused(
                -2010, "Account has insufficient balance for requested action."
            )
        balance.free -= amount
        balance.locked += amount
        made.locked = amount

    def _sent(self, made: SimList) -> list[VenueOrder]:
        first = str(made.orders[0].number)
        return [
            VenueOrder(
                order_id=str(order.number),
                terms=self._terms(order),
                placed_at_us=self.time_us,
                leg=Leg(list_id=first, kind=made.kind, role=role),
            )
            for order, role in zip(made.orders, ROLES[made.kind], strict=True)
        ]

    # --- what becomes of it ------------------------------------------------------

    def _executed(self, order: SimOrder, event: Executed) -> None:
        super()._executed(order, event)
        bound = self.list_of(order)
        if bound is not None and order is bound.entry and order.status == "FILLED":
            self._release(bound)

    def _release(self, bound: SimList) -> None:
        """Let the exits work; if they cannot be placed now, they end."""
        last = self._price(bound.exits[0].symbol)
        try:
            self._lock_exits(bound)
            for each in bound.exits:
                if last is not None:
                    check_crossing(each, last)
        except Refused:
            for each in bound.exits:
                self._ended(each, "EXPIRED")
            self._engine.cancel(str(bound.exits[0].number))
            return
        for each in bound.exits:
            each.status, each.updated_ms = "NEW", self.now_ms
            self._tell(each, "NEW")

    def _unlock(self, order: SimOrder, quantity: Decimal) -> None:
        bound = self.list_of(order)
        if bound is None or order is bound.entry:
            super()._unlock(order, quantity)
            return
        asset, amount = self._funds(order, quantity)
        if order.status in CLOSED:
            if any(each.status not in CLOSED for each in bound.exits):
                return  # the other one needs it
            amount = bound.locked
        amount = min(amount, bound.locked)
        bound.locked -= amount
        balance = self.balances.setdefault(asset, SimBalance())
        balance.locked -= amount
        balance.free += amount

    def _ended(
        self,
        order: SimOrder,
        status: str,
        client_id: str = "",
        *,
        is_change: bool = False,
    ) -> None:
        super()._ended(order, status, client_id, is_change=is_change)
        bound = self.list_of(order)
        if bound is not None and not bound.is_open:
            self._tell_list(bound, "ALL_DONE", "ALL_DONE")

    def _tell_list(self, made: SimList, kind: str, status: str) -> None:
        event = list_status(made, kind, status, self.now_ms)
        for tell in self.on_user:
            tell(event)
