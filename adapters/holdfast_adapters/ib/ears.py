"""What ib_async's decoder calls, one method for each kind of message."""

from __future__ import annotations

import asyncio  # noqa: TID251 - this runs in the loop of the library
from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING, Any

from holdfast_adapters.ib.book import Book, Key
from holdfast_adapters.ib.errors import (
    BROKEN,
    DATA_LOST,
    IN_USE,
    LOST,
    RESTORED,
    TOO_FAST,
    is_warning,
)
from holdfast_adapters.ib.pacing import Pacer
from holdfast_adapters.ib.pending import FIRST_REQUEST, Numbered, Series
from holdfast_adapters.ib.rows import (
    HeldRow,
    OrderRow,
    completed_row,
    fill_row,
    order_row,
)
from holdfast_adapters.ib.ticks import Tick
from holdfast_domain.errors import VenueRefused
from holdfast_domain.instruments import Band
from holdfast_domain.money import to_decimal

if TYPE_CHECKING:
    from ib_async.contract import Contract, ContractDetails
    from ib_async.objects import BarData, CommissionReport, Execution, PriceIncrement
    from ib_async.order import Order, OrderState

OF_NOTHING = -1
"""The number of an error that is about no request."""


class Ears:
    """Hears one connection. The names of the methods are those of the decoder."""

    defaultTimezone = UTC
    row_of = staticmethod(order_row)

    def __init__(
        self,
        book: Book,
        pacer: Pacer,
        zone: str,
        lost: Callable[[str], None],
        miss: Callable[[str], None],
    ) -> None:
        """``lost`` is told of the end of the connection, ``miss`` of holes."""
        self.TimezoneTWS = zone
        self.ib = self
        """The decoder looks for the time zone there."""

        self.open_orders: Series[Key] = Series()
        self.completed: Series[OrderRow] = Series()
        self.positions: Series[HeldRow] = Series()
        self.times: Series[int] = Series()
        self.rules: dict[int, Series[Band]] = {}
        """Market rules that are asked for, by their numbers."""

        self.numbered = Numbered()
        self.tickers: dict[int, int] = {}
        """Contracts, by the numbers under which their ticks are told."""

        self.heard: Callable[[Tick], None] = lambda _tick: None
        self.turned_away = asyncio.Event()
        self.refused: VenueRefused | None = None
        self.has_no_line = False
        self.no_line_code = 0
        self._book = book
        self._pacer = pacer
        self._lost = lost
        self._miss = miss
        self._doubts: dict[int, asyncio.Event] = {}

    async def doubt_of(self, number: int) -> None:
        """Wait for an error about an order of which it is not known what it means."""
        bell = self._doubts.setdefault(number, asyncio.Event())
        try:
            await bell.wait()
        finally:
            self._doubts.pop(number, None)

    def fail(self, error: Exception) -> None:
        """Say to all who asked that no answer comes any more."""
        for each in (self.open_orders, self.completed, self.positions, self.times):
            each.fail(error)
        for rule in self.rules.values():
            rule.fail(error)
        self.numbered.fail(error)
        self.turned_away.set()

    # --- the session ------------------------------------------------------------------

    def connectAck(self) -> None:
        """Hear that the versions are agreed on."""

    def setEventsDone(self) -> None:
        """Hear that the connection has ended, ready or not."""
        self._lost("TWS ended it")

    def connectionClosed(self) -> None:
        """Hear that a connection that was ready has ended."""

    def currentTime(self, seconds: int) -> None:
        """Hear the time."""
        self.times.add(seconds)
        self.times.end()

    def error(self, number: int, code: int, words: str, advanced: str = "") -> None:
        """Hear an error, a warning or news."""
        del advanced
        if number == OF_NOTHING:
            self._news(code, words)
        elif number in self.tickers and not is_warning(code):
            self._miss(f"market data is refused: {' '.join(words.split())} ({code})")
        elif number >= FIRST_REQUEST:
            self.numbered.refuse(number, code, words)
        elif self._book.error(number, code, words) and number in self._doubts:
            self._doubts[number].set()

    def _news(self, code: int, words: str) -> None:
        if code == IN_USE:
            self.refused = VenueRefused(words, str(code))
            self.turned_away.set()
        elif code == TOO_FAST:
            self._pacer.hold(1.0)
        elif code in LOST:
            self.has_no_line, self.no_line_code = True, code
            self._miss(f"TWS has no line to IB's servers ({code})")
        elif code in BROKEN:
            self._miss(f"{' '.join(words.split())} ({code})")
        elif code in RESTORED:
            self.has_no_line = False
            lost = ", and market data is lost" if code == DATA_LOST else ""
            self._miss(f"TWS has its line to IB again{lost} ({code})")

    # --- the market -------------------------------------------------------------------

    def priceSizeTick(self, number: int, kind: int, price: float, size: float) -> None:
        """Hear a price, with its size."""
        self._tick(number, Tick(0, kind, price, size))

    def tickSize(self, number: int, kind: int, size: float) -> None:
        """Hear a size alone."""
        self._tick(number, Tick(0, kind, 0.0, size))

    def tickString(self, number: int, kind: int, text: str) -> None:
        """Hear a tick that is written out."""
        self._tick(number, Tick(0, kind, text=text))

    def _tick(self, number: int, tick: Tick) -> None:
        con_id = self.tickers.get(number)
        if con_id is not None:
            self.heard(tick._replace(con_id=con_id))

    # --- orders -----------------------------------------------------------------------

    def openOrder(
        self, _number: int, contract: Contract, order: Order, state: OrderState
    ) -> None:
        """Hear of an order that works, or has just ended."""
        row = order_row(contract, order, state.status)
        self._book.order(row)
        self.open_orders.add((row.client_id, row.number))

    def openOrderEnd(self) -> None:
        """Hear that these were all."""
        self.open_orders.end()

    def orderStatus(
        self,
        number: int,
        status: str,
        filled: float,
        _left: float,
        _average: float,
        perm_id: int,
        _parent: int,
        _last: float,
        client_id: int,
        *_: Any,  # noqa: ANN401
    ) -> None:
        """Hear how an order stands."""
        self._book.status((client_id, number), status, to_decimal(filled), perm_id)

    def completedOrder(
        self, contract: Contract, order: Order, state: OrderState
    ) -> None:
        """Hear of an order that has ended."""
        self.completed.add(completed_row(contract, order, state))

    def completedOrdersEnd(self) -> None:
        """Hear that these were all."""
        self.completed.end()

    def execDetails(
        self, number: int, contract: Contract, execution: Execution
    ) -> None:
        """Hear of an execution."""
        self._book.fill(fill_row(contract, execution))
        self.numbered.add(number, execution.execId)

    def execDetailsEnd(self, number: int) -> None:
        """Hear that these were all."""
        self.numbered.end(number)

    def commissionReport(self, report: CommissionReport) -> None:
        """Hear what an execution cost."""
        cost = (to_decimal(report.commission), report.currency)
        self._book.commission(report.execId, cost)

    # --- the account, and contracts ---------------------------------------------------

    def position(
        self, account: str, contract: Contract, quantity: float, cost: float
    ) -> None:
        """Hear of a position."""
        self.positions.add(
            HeldRow(
                account=account,
                con_id=contract.conId,
                name=contract.localSymbol or contract.symbol,
                quantity=to_decimal(quantity),
                average_cost=to_decimal(cost),
            )
        )

    def positionEnd(self) -> None:
        """Hear that these were all."""
        self.positions.end()

    def accountSummary(
        self, number: int, account: str, tag: str, value: str, currency: str
    ) -> None:
        """Hear a value of an account."""
        self.numbered.add(number, (account, tag, value, currency))

    def accountSummaryEnd(self, number: int) -> None:
        """Hear that these were all."""
        self.numbered.end(number)

    def historicalData(self, number: int, bar: BarData) -> None:
        """Hear of a bar of the past."""
        self.numbered.add(number, bar)

    def historicalDataEnd(self, number: int, start: str, end: str) -> None:
        """Hear that these were all."""
        del start, end
        self.numbered.end(number)

    def contractDetails(self, number: int, details: ContractDetails) -> None:
        """Hear of a contract."""
        self.numbered.add(number, details)

    def contractDetailsEnd(self, number: int) -> None:
        """Hear that these were all."""
        self.numbered.end(number)

    def marketRule(self, number: int, increments: list[PriceIncrement]) -> None:
        """Hear from which price on which step of prices holds."""
        rule = self.rules.get(number)
        if rule is not None:
            for each in increments:
                low, tick = to_decimal(each.lowEdge), to_decimal(each.increment)
                rule.add(Band(low, tick))
            rule.end()
