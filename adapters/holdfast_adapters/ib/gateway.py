"""Requests of one connection to TWS or IB Gateway, in the loop of ib_async."""

from __future__ import annotations

import asyncio  # noqa: TID251 - this runs in the loop of the library
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from holdfast_adapters.ib.book import Key
from holdfast_adapters.ib.connection import Connection
from holdfast_adapters.ib.library import library
from holdfast_adapters.ib.pending import Series
from holdfast_adapters.ib.rows import FillRow, HeldRow, OrderRow
from holdfast_adapters.ib.ticks import WANTED, Tick
from holdfast_domain.errors import DuplicateOrder, NotSent, VenueRefused
from holdfast_domain.instruments import Band
from holdfast_domain.ports import VenueEvent

if TYPE_CHECKING:
    from ib_async.contract import Contract
    from ib_async.order import Order


class Gateway(Connection):
    """Asks, and says what was answered."""

    # --- orders -----------------------------------------------------------------------

    async def place(self, contract: Contract, order: Order) -> list[VenueEvent]:
        """Place an order, and return what was said of it first.

        Raises:
            DuplicateOrder: TWS has told of an order with this ``orderRef``.
            VenueRefused: it was turned down.
        """
        if not self.book.claim(order.orderRef):
            raise DuplicateOrder(f"{order.orderRef} is there already")
        try:
            await self._pace()
        except BaseException:
            self.book.disclaim(order.orderRef)
            raise
        number = max(self._next, self.book.highest + 1)
        self._next = number + 1
        waiter = self.book.wait(number, "submit")
        order.orderId = number
        self._client.placeOrder(number, contract, order)
        try:
            return await self._answered(number, waiter.answer)
        except (VenueRefused, NotSent):
            self.book.disclaim(order.orderRef)
            raise

    async def forget(self, ref: str) -> None:
        """Forget an order that is proven not to be there."""
        self.book.disclaim(ref)

    async def cancel(self, ref: str) -> list[VenueEvent]:
        """Cancel an order of this client.

        Raises:
            VenueRefused: there is none, or it has ended.
        """
        number = await self._mine(ref, "10147")
        await self._pace(cancel=True)
        waiter = self.book.wait(number, "cancel")
        self._client.cancelOrder(number)
        return await self._answered(number, waiter.answer)

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
        order.orderId = number
        asked = attrs.evolve(self._row_of(order), status=row.status)
        waiter = self.book.wait(number, "replace", asked.terms)
        self._client.placeOrder(number, contract, order)
        return await self._answered(number, waiter.answer)

    def _row_of(self, order: Order) -> OrderRow:
        return self._ears.row_of(library().Contract(), order, "")

    async def _answered(
        self, number: int, answer: asyncio.Future[list[VenueEvent]]
    ) -> list[VenueEvent]:
        """Wait for the answer to a command; nothing of it leaves once it is given up.

        An error of which nothing is known is settled by a list of all open orders:
        TWS answers in order.
        """
        doubt = asyncio.ensure_future(self._settle(number))
        doubt.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await answer
        except asyncio.CancelledError:
            sent = self._client.conn.transport
            if sent is not None and sent.get_write_buffer_size():
                self.abort("a command was given up before it had left")
            raise
        finally:
            doubt.cancel()
            self.book.waits_no_more(number)

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


def _key(row: OrderRow) -> Key:
    return (row.client_id, row.number)
