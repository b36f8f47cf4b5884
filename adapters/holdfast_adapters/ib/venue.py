"""Interactive Brokers as a `Venue`: requests about orders, and questions.

It lives on the actors' thread, and calls a `Gateway` in the loop of ib_async.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import attrs

from holdfast_adapters.ib.contracts import Listed
from holdfast_adapters.ib.lists import group_of, is_of_bracket, is_torn
from holdfast_adapters.ib.memory import Sent
from holdfast_adapters.ib.rows import FillRow, OrderRow
from holdfast_adapters.ib.session import Session
from holdfast_adapters.ib.telling import (
    TAKES,
    WAITING,
    newest,
    order_of,
    our_id,
    since_of,
    story,
    terms_of,
    told_fills,
    watermark_of,
    with_late_fees,
)
from holdfast_domain.errors import (
    OutcomeUnknown,
    VenueRefused,
)
from holdfast_domain.marketdata import us_of, utc_from_us
from holdfast_domain.money import ZERO, Money, Price, Quantity, to_decimal
from holdfast_domain.orders import OrderTerms, Side
from holdfast_domain.ports import (
    Balances,
    Executions,
    Found,
    NotFound,
    OpenOrders,
    Positions,
    VenueBalance,
    VenueEvent,
    VenueOrder,
    VenuePosition,
    VenuePromises,
)

T = TypeVar("T")

PROMISES: Final = VenuePromises(
    proves_absence=True,
    processing_bound_s=30.0,
    clock_skew_s=2.0,
    takes=TAKES,
)
"""See `IBVenue.lookup` for what it takes beside the bound. Its times are in seconds."""

OVERLAP_S: Final = 60
"""Executions younger than this are told again: one before them may show late."""

COMMISSION_S: Final = 5.0
"""For how long an execution waits for its commission, before it is told without."""

REJECTED: Final = "201"
MARKET_CLOSED: Final = "market_closed"
"""The code of an order that IB rejects while its contract does not trade.

Most orders are not: TWS holds them, with a warning (399), until it does.
"""

BASE: Final = "BASE"
"""The currency of the account's sums, under which IB tells all cash once more."""

VALUES: Final = (
    "NetLiquidation,TotalCashValue,BuyingPower,AvailableFunds,GrossPositionValue,"
    "InitMarginReq,MaintMarginReq"
)


class IBVenue(Session):
    """One account at Interactive Brokers, by one client id.

    Requests may overlap. What is remembered here only saves questions, except for
    `Memory`, without which less is proven.
    """

    promises = PROMISES

    # --- what changes something: one attempt ----------------------------------------

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        """Place ``order``; see `Venue.submit`.

        Its fills are told later. That an id was used before is known here, and not at
        IB: it is known of all orders that TWS shows.
        """
        return await self._place([order])

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        """Place the legs of a list, in one write; see `Venue.submit_list`.

        TWS judges each leg alone. If it turns one down, the others are canceled, and
        the answer tells the end of each. The exits of a bracket are children of its
        entry, and TWS transmits nothing before it has read the last of them.
        """
        return await self._place(orders)

    async def _place(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        gateway, listed = self.there(), self._listed(orders[0].terms)
        made = [
            order_of(each.order_id, each.terms, self.account_id, group_of(each.leg))
            for each in orders
        ]
        for each, order in zip(orders, made, strict=True):
            sent = Sent(self.clock.now_us(), each.terms, order)
            self.memory.sent(each.order_id, sent)
        try:
            return await self.command(gateway.place, listed.contract, *made)
        except VenueRefused as error:
            if error.code == REJECTED and listed.is_closed(self.clock.now_us()):
                raise VenueRefused(error.reason, MARKET_CLOSED) from error
            raise

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        """Cancel what is left of the order, and of its list; see `Venue.cancel`."""
        return await self.command(self.there().cancel, order_id)

    async def replace(self, order_id: str, terms: OrderTerms) -> Sequence[VenueEvent]:
        """Give a working order new terms, under its own id.

        Raises:
            VenueRefused: the old terms hold.
        """
        gateway, each = self.there(), self._listed(terms)
        made = order_of(order_id, terms, self.account_id)
        return await self.command(gateway.change, order_id, each.contract, made)

    def _listed(self, terms: OrderTerms) -> Listed:
        each = self.listed.get(terms.instrument)
        if each is None:
            reason = f"expected one of {', '.join(self.listed)}, got {terms.instrument}"
            raise VenueRefused(reason, "200")
        return each

    # --- questions ------------------------------------------------------------------

    async def lookup(self, order_id: str, meant_us: int = 0) -> Found | NotFound:
        """Return what TWS shows of the order: open, completed, or by its executions.

        That it shows nothing proves something only of an order that was sent on the
        day that TWS shows: executions and completed orders reach back to midnight. So
        it must have been sent by this process today, or meant today.

        A leg whose list did not arrive whole is canceled, once that is proven: a part
        of a list is another order than was meant. Of a bracket nothing was transmitted
        then, and what TWS may keep of it, unseen, is canceled by its number.

        Raises:
            OutcomeUnknown: it may be of another day, or what is shown contradicts
                itself, or is not complete yet.
        """
        gateway = self.there()
        opened, completed, all_fills = await self.ask(gateway.whole)
        fills = [each for each in all_fills if each.ref == order_id]
        rows = [each for each in (*opened, *completed) if each.ref == order_id]
        sent = self.memory.get(order_id)
        since_us = meant_us if sent is None else sent.at_us
        is_of_today = since_us >= self._shown_from_us()
        if rows and is_torn(rows[0], opened, completed, all_fills):
            if is_of_today:
                await self._end_torn(order_id, since_us)
                return await self.lookup(order_id, meant_us)
            if rows[0].status in WAITING:
                message = f"{self.name}: {order_id} is of another day, and not at work"
                raise OutcomeUnknown(message)
        if rows:
            return self._found(order_id, rows[0], fills)
        if fills:
            message = f"{self.name}: {order_id} has executions, and is in no list"
            raise OutcomeUnknown(message)
        if not is_of_today:
            message = f"{self.name}: {order_id} may be of a day that TWS does not show"
            raise OutcomeUnknown(message)
        await self._clear(order_id)
        await self.ask(gateway.forget, order_id)
        return NotFound()

    async def executions_since(self, watermark: str) -> Executions:
        """Return all executions that TWS shows, from ``watermark`` on.

        TWS shows those since midnight, or of up to seven days if it is set so.

        Raises:
            VenueRefused: the watermark is none of this venue.
        """
        since_s = since_of(watermark)
        rows = [
            each
            for each in await self.ask(self.there().executions)
            if each.account == self.account_id and each.at_us // 1_000_000 >= since_s
        ]
        late = [each.at_us // 1_000_000 for each in rows if each.commission is None]
        told = [each for each in rows if not self._waits(each)]
        settled_s = self.clock.now_us() // 1_000_000 - OVERLAP_S
        after_s = max(since_s, min([settled_s, *late]))
        self._keep_feeless(told)
        fills, feeless = told_fills(told, self.names), self.memory.feeless
        events = with_late_fees(fills, feeless, self._older(told))
        return Executions(events=events, watermark=watermark_of(after_s))

    async def open_orders(self) -> OpenOrders:
        """Return all orders of the account that work, of all clients and of TWS."""
        rows = await self.ask(self.there().open_orders)
        orders = [
            self._told(our_id(row.ref), row, ())
            for row in rows
            if row.account == self.account_id
        ]
        return OpenOrders(orders=orders, at=self._now())

    async def positions(self) -> Positions:
        """Return what the account holds of each contract."""
        rows = await self.ask(self.there().positions)
        positions = [
            VenuePosition(
                instrument=self.names.get(each.con_id, each.name),
                quantity=each.quantity,
                average_price=self._price(each.con_id, each.average_cost),
            )
            for each in rows
            if each.account == self.account_id and each.quantity
        ]
        return Positions(positions=positions, at=self._now())

    async def balances(self) -> Balances:
        """Return the cash of each currency."""
        rows = await self.ask(self.there().account, "$LEDGER:ALL")
        balances = [
            VenueBalance(currency=unit, total=Money(to_decimal(value), unit))
            for account, tag, value, unit in rows
            if (account, tag) == (self.account_id, "CashBalance") and unit != BASE
        ]
        return Balances(balances=balances, at=self._now())

    async def account(self) -> dict[str, Money]:
        """Return net liquidation, cash, buying power and margins, by IB's words."""
        rows = await self.ask(self.there().account, VALUES)
        return {
            tag: Money(to_decimal(value), unit)
            for account, tag, value, unit in rows
            if account == self.account_id
        }

    async def time(self) -> datetime:
        """Return the time of TWS."""
        seconds = await self.ask(self.there().time)
        return utc_from_us(seconds * 1_000_000)

    # --- inside -----------------------------------------------------------------------

    async def _end_torn(self, order_id: str, since_us: int) -> None:
        """Cancel a leg whose list is torn.

        Raises:
            OutcomeUnknown: the rest of it may still show, or the leg may go on.
        """
        message = f"{self.name}: {order_id} is shown without the rest of its list"
        if not self._is_settled(since_us):
            raise OutcomeUnknown(message)
        try:
            await self.command(self.there().cancel, order_id)
        except VenueRefused as error:
            raise OutcomeUnknown(f"{message}, and not canceled: {error}") from error

    async def _clear(self, order_id: str) -> None:
        """Cancel what TWS may keep of a bracket's leg, and shows nobody.

        A person could transmit it there. Its number is known as long as this process
        lives.

        Raises:
            OutcomeUnknown: something is there.
        """
        sent = self.memory.get(order_id)
        if sent is None or not is_of_bracket(sent.order.ocaGroup):
            return
        if self._is_settled(sent.at_us) and sent.order.orderId:
            await self.command(self.there().clear, sent.order.orderId)

    def _is_settled(self, since_us: int) -> bool:
        """Tell whether all shows by now of what was sent then."""
        age_s = (self.clock.now_us() - since_us) / 1_000_000
        return age_s >= self.promises.processing_bound_s

    def _found(self, order_id: str, row: OrderRow, fills: list[FillRow]) -> Found:
        filled = sum((each.shares for each in newest(fills)), ZERO)
        if filled < row.filled:
            message = f"{self.name}: {order_id} is filled for {row.filled}, and "
            raise OutcomeUnknown(f"{message}executions show {filled}")
        if any(self._waits(each) for each in fills):
            message = f"{self.name}: a commission of {order_id} is not told yet"
            raise OutcomeUnknown(message)
        self._keep_feeless(fills)
        row = attrs.evolve(row, filled=filled)
        return self._told(order_id, row, story(order_id, row, fills, self.names))

    def _told(
        self, order_id: str, row: OrderRow, events: Sequence[VenueEvent]
    ) -> Found:
        symbol = self.names.get(row.con_id, row.name)
        sent = self.memory.get(order_id)
        return Found(
            order_id=order_id,
            venue_order_id=str(row.perm_id or ""),
            instrument=symbol,
            side=Side[row.action],
            quantity=Quantity(row.quantity),
            terms=terms_of(row, symbol),
            # IB does not say when an order was placed: not later than now.
            placed_at_us=sent.at_us if sent else self.clock.now_us(),
            cumulative=Quantity(row.filled),
            events=events,
        )

    def _keep_feeless(self, fills: Sequence[FillRow]) -> None:
        """Remember which executions are told without their commission."""
        late = (each.execution_id for each in fills if each.commission is None)
        self.memory.feeless.update(late)

    def _older(self, fills: Sequence[FillRow]) -> set[str]:
        """Return which executions a process before this one may have told."""
        # TWS tells whole seconds. What was told without a commission was older than
        # `COMMISSION_S` by then, so the clocks need not agree to the second either.
        until_us = (self.memory.began_us or 0) - 1_000_000
        return {each.execution_id for each in fills if each.at_us < until_us}

    def _waits(self, fill: FillRow) -> bool:
        """Tell whether the commission of an execution may still come."""
        age_s = (self.clock.now_us() - fill.at_us) / 1_000_000
        return fill.commission is None and age_s < COMMISSION_S

    def _price(self, con_id: int, cost: object) -> Price | None:
        symbol = self.names.get(con_id)
        if symbol is None:
            return None
        units = self.listed[symbol].instrument.multiplier
        return Price(to_decimal(str(cost)) / units)

    def _shown_from_us(self) -> int:
        """Return since when TWS shows all: midnight, by its own clock.

        That may be ahead of ours, so that its day has begun, or behind it, so that what
        left after our midnight was before its own.
        """
        skew_us = round(PROMISES.clock_skew_s * 1_000_000)
        latest = utc_from_us(self.clock.now_us() + skew_us)
        here = latest.astimezone(ZoneInfo(self.line.zone))
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
        return us_of(midnight) + skew_us

    def _now(self) -> datetime:
        return utc_from_us(self.clock.now_us())
