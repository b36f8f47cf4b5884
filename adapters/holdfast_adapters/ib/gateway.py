"""Requests of one connection to TWS or IB Gateway, in the loop of ib_async."""

from __future__ import annotations

import asyncio  # noqa: TID251 - this runs in the loop of the library
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from holdfast_adapters.ib.book import Key, Waiter
from holdfast_adapters.ib.connection import Connection
from holdfast_adapters.ib.library import in_one_write, library
from holdfast_adapters.ib.lists import attach, never_sent
from holdfast_adapters.ib.pending import Series
from holdfast_adapters.ib.rows import FillRow, HeldRow, OrderRow
from holdfast_adapters.ib.telling import rejected
from holdfast_adapters.ib.ticks import WANTED, Tick
from holdfast_domain.errors import (
    DuplicateOrder,
    NotSent,
    OutcomeUnknown,
    VenueRefused,
)
from holdfast_domain.instruments import Band
from holdfast_domain.ports import VenueEvent

if TYPE_CHECKING:
    from ib_async.contract import Contract
    from ib_async.order import Order

UNKNOWN_ORDER: Final = "10147"
PAIR: Final = 2


class Gateway(Connection):
    """Asks, and says what was answered."""

    # --- orders -----------------------------------------------------------------------

    async def place(self, contract: Contract, *orders: Order) -> list[VenueEvent]:
        """Place an order, or those of a group, and return what was said of them first.

        A list leaves in one write. TWS judges each order of it alone: if some are there
        without the others, they are canceled, and the end of each is told.

        Raises:
            DuplicateOrder: TWS has told of an order with one of these ``orderRef``.
            VenueRefused: all were turned down.
        """
        refs = [each.orderRef for each in orders]
        if not self.book.claim(*refs):
            raise DuplicateOrder(f"{' or '.join(refs)} is there already")
        try:
            for _ in orders:
                await self._pace()
        except BaseException:
            self.book.disclaim(*refs)
            raise
        waiters = [self._numbered(each) for each in orders]
        attach(orders)
        with in_one_write(self._client):
            for each in orders:
                self._client.placeOrder(each.orderId, contract, each)
        await self._answered(*waiters)
        answers = dict(zip(refs, waiters, strict=True))
        absent = {
            ref: error for ref, each in answers.items() if (error := _absence(each))
        }
        self.book.disclaim(*absent)
        if len(absent) == len(orders):
            raise max(
                absent.values(), key=lambda error: isinstance(error, VenueRefused)
            )
        there = {o.orderRef: o.orderId for o in orders if o.orderRef not in absent}
        said = [event for ref in there for event in _said(answers[ref])]
        ends = there if absent else self.book.to_end(list(there))
        said += await self._end({ref: there[ref] for ref in ends})
        return said + [rejected(ref, error) for ref, error in absent.items()]

    def _numbered(self, order: Order) -> Waiter:
        """Give an order the next number; return who waits for its answer."""
        number = order.orderId = max(self._next, self.book.highest + 1)
        self._next = number + 1
        return self.book.wait(number, "submit")

    async def forget(self, ref: str) -> None:
        """Forget an order that is proven not to be there."""
        self.book.disclaim(ref)

    async def cancel(self, ref: str) -> list[VenueEvent]:
        """Cancel an order of this client, and all that is left of its group.

        Raises:
            VenueRefused: there is none, or it has ended.
        """
        said = await self._cancel(await self._mine(ref, "10147"))
        return said + await self._end(self.book.bound_to(ref))

    async def _cancel(self, number: int) -> list[VenueEvent]:
        """Cancel an order; nothing is said of one that TWS never told of."""
        await self._pace(cancel=True)
        waiter = self.book.wait(number, "cancel")
        self._client.cancelOrder(number)
        await self._answered(waiter)
        return list(waiter.answer.result())

    async def _end(self, legs: Mapping[str, int]) -> list[VenueEvent]:
        """Cancel orders that work, by their numbers; TWS may have done it by itself.

        Raises:
            OutcomeUnknown: one may go on.
        """
        said: list[VenueEvent] = []
        for ref, number in legs.items():
            if self.book.is_over(ref):
                said += self.book.end_of(ref)
                continue
            try:
                if number not in self.book.gone:
                    said += await self._cancel(number)
            except VenueRefused as error:
                absent = error.code == UNKNOWN_ORDER and not self.book.knows(ref)
                if not absent and not self.book.is_over(ref):
                    message = f"{ref} is to end with its list, and is not: {error}"
                    raise OutcomeUnknown(message) from error
                said += self.book.end_of(ref)
            if not self.book.knows(ref):
                said.append(never_sent(ref))
        return said

    async def clear(self, number: int) -> list[VenueEvent]:
        """Cancel an order of this client of which TWS tells nothing, if it is there.

        Raises:
            OutcomeUnknown: it may be there.
        """
        if (self._line.client_id, number) in self.book.orders:
            return []  # the number is that of another one: TWS rolls them back
        if number in self.book.gone:
            return []  # it ended with its parent
        try:
            return await self._cancel(number)
        except VenueRefused as error:
            if error.code != UNKNOWN_ORDER:
                message = f"order {number} is not shown, and TWS says: {error}"
                raise OutcomeUnknown(message) from error
        return []

    async def change(
        self, ref: str, contract: Contract, order: Order
    ) -> list[VenueEvent]:
        """Give an order of this client new terms.

        Raises:
            VenueRefused: the old terms hold.
        """
        number = await self._mine(ref, "10147")
        await self._pace()
        row = self.book.orders[self._line.client_id, number].row
        if row.action != order.action or row.type != order.orderType:
            reason = "expected the same side and type in new terms"
            raise VenueRefused(reason, "105")
        if row.group:
            reason = "expected an order of no list: cancel the list and place it anew"
            raise VenueRefused(reason, "leg")
        order.orderId = number
        asked = attrs.evolve(self._row_of(order), status=row.status)
        waiter = self.book.wait(number, "replace", asked.terms)
        self._client.placeOrder(number, contract, order)
        await self._answered(waiter)
        return waiter.answer.result()

    def _row_of(self, order: Order) -> OrderRow:
        return self._ears.row_of(library().Contract(), order, "")

    async def _answered(self, *waiters: Waiter) -> None:
        """Wait for the answers to commands; nothing leaves once they are given up.

        An error of which nothing is known is settled by a list of all open orders:
        TWS answers in order.
        """
        doubts = [asyncio.ensure_future(self._settle(each.number)) for each in waiters]
        for doubt in doubts:
            doubt.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await self._heard([each.answer for each in waiters])
        except asyncio.CancelledError:
            sent = self._client.conn.transport
            if sent is not None and sent.get_write_buffer_size():
                self.abort("a command was given up before it had left")
            raise
        finally:
            for doubt in doubts:
                doubt.cancel()
            for each in waiters:
                self.book.waits_no_more(each.number)

    async def _heard(self, answers: Sequence[asyncio.Future[Any]]) -> None:
        """Wait for answers; for the others of a bracket only while none is turned down.

        What TWS does not transmit then is not answered, and nothing else is to come of
        it once a list of all open orders has.
        """
        pending = set(answers)
        while pending:
            done, pending = await asyncio.wait(
                pending, return_when=asyncio.FIRST_COMPLETED
            )
            if pending and len(answers) > PAIR and any(e.exception() for e in done):
                await self.open_orders()
                return

    async def _settle(self, number: int) -> None:
        await self._ears.doubt_of(number)
        await self.open_orders()
        self.book.settle(number)

    async def _mine(self, ref: str, code: str) -> int:
        """Return the number of our order ``ref``, asking for it if need be."""
        key = self.book.by_ref.get(ref)
        if key is None:
            await self.open_orders()
            key = self.book.by_ref.get(ref)
        if key is None:
            raise VenueRefused(f"there is no order {ref} that works", code)
        client_id, number = key
        if client_id != self._line.client_id:
            words = f"the order is of client {client_id}, and this is client "
            raise VenueRefused(f"{words}{self._line.client_id}", code)
        return number

    # --- questions --------------------------------------------------------------------

    async def open_orders(self) -> list[OrderRow]:
        """Return the orders of all clients that work, as they stand now."""
        await self._pace()
        answer = self._ears.open_orders.ask()
        self._client.reqAllOpenOrders()
        keys: dict[Key, None] = dict.fromkeys(await answer)
        rows = [self.book.orders[key].row for key in keys]
        return [row for row in rows if not self.book.orders[_key(row)].is_over]

    async def completed_orders(self) -> list[OrderRow]:
        """Return the orders of the day that have ended."""
        await self._pace()
        answer = self._ears.completed.ask()
        self._client.reqCompletedOrders(apiOnly=False)
        rows = await answer
        for row in rows:
            self.book.claim(row.ref)
        return rows

    async def executions(self) -> list[FillRow]:
        """Return the executions of the day."""
        await self._pace()
        number, answer = self._ears.numbered.ask()
        self._client.reqExecutions(number, library().ExecutionFilter())
        await answer
        return list(self.book.fills.values())

    async def whole(self) -> tuple[list[OrderRow], list[OrderRow], list[FillRow]]:
        """Return open and completed orders, and executions: each shows somewhere.

        They are asked for in this order: an order that ends meanwhile is in the next.
        """
        opened = await self.open_orders()
        completed = await self.completed_orders()
        completed += self.book.canceled_beside([*opened, *completed])
        return opened, completed, await self.executions()

    async def positions(self) -> list[HeldRow]:
        """Return the positions of all accounts."""
        await self._pace()
        answer = self._ears.positions.ask()
        self._client.reqPositions()
        rows = await answer
        self._client.cancelPositions()
        return rows

    async def account(self, tags: str) -> list[tuple[str, str, str, str]]:
        """Return account, tag, value and currency of what is asked for."""
        await self._pace()
        number, answer = self._ears.numbered.ask()
        self._client.reqAccountSummary(number, "All", tags)
        rows = await answer
        self._client.cancelAccountSummary(number)
        return rows

    async def details(self, contract: Contract) -> list[Any]:
        """Return the contracts that fit.

        Raises:
            VenueRefused: there is none (200).
        """
        await self._pace()
        number, answer = self._ears.numbered.ask()
        self._client.reqContractDetails(number, contract)
        return await answer

    async def history(
        self, contract: Contract, end: str, length: str, size: str
    ) -> list[Any]:
        """Return the bars of trades that end by ``end``; their dates are seconds UTC.

        Raises:
            VenueRefused: there are none, or too much was asked (162).
        """
        await self._pace()
        number, answer = self._ears.numbered.ask()
        self._client.reqHistoricalData(
            number, contract, end, length, size, "TRADES", 0, 2, False, []
        )
        return await answer

    async def rule(self, number: int) -> list[Band]:
        """Return a market rule: which step of prices holds from which price on.

        A rule that TWS does not know is not answered: nothing could name it.
        """
        await self._pace()
        answer = self._ears.rules.setdefault(number, Series()).ask()
        self._client.reqMarketRule(number)
        return await answer

    async def listen(
        self, contracts: Sequence[Contract], heard: Callable[[Tick], None]
    ) -> None:
        """Let ``heard`` hear the trades and quotes of ``contracts``, for ever."""
        self._ears.heard = heard
        for contract in contracts:
            await self._pace()
            number = self._ears.numbered.number()
            self._ears.tickers[number] = contract.conId
            self._client.reqMktData(number, contract, WANTED, False, False, [])

    async def time(self) -> int:
        """Return the time of TWS, in seconds UTC."""
        self.check()
        return await self._time()


def _absence(waiter: Waiter) -> VenueRefused | NotSent | None:
    """Return the error that proves that an order is not there, if it is one.

    Raises:
        VenueError: it is not known whether the order is there.
    """
    error = waiter.answer.exception() if waiter.answer.done() else None
    if error is None or isinstance(error, VenueRefused | NotSent):
        return error
    raise error


def _said(waiter: Waiter) -> list[VenueEvent]:
    return waiter.answer.result() if waiter.answer.done() else []


def _key(row: OrderRow) -> Key:
    return (row.client_id, row.number)
