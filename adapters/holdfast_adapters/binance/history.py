"""Our executions at Binance, from where we have read on; trades may show late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
from msgspec.structs import replace

from holdfast_adapters.binance.credentials import Value
from holdfast_adapters.binance.naming import Name
from holdfast_adapters.binance.rest import Rest
from holdfast_adapters.binance.telling import executions
from holdfast_adapters.binance.wire import OrderReport, OrderRow, TradeRow
from holdfast_domain.errors import OutcomeUnknown, VenueRefused
from holdfast_domain.orders import Side
from holdfast_domain.ports import Executed

PAGE: Final = 1000
"""The most trades in one answer."""

OVERLAP_S: Final = 60.0
"""Trades younger than this are read again: one with a lower id may show after them."""

REMEMBERED: Final = 20_000
WHOLE: Final = 2_000
"""Of how many orders all trades are kept: more than trade in `OVERLAP_S`."""


@attrs.frozen
class Cursors:
    """A watermark: the trade id from which each symbol is read next.

    >>> str(Cursors.parse("BTCUSDT:5", ["BTCUSDT", "ETHUSDT"]))
    'BTCUSDT:5,ETHUSDT:'
    """

    next_ids: dict[str, int | None]
    """None where nothing of the symbol was read yet."""

    def __str__(self) -> str:
        pairs = ((name, "" if at is None else at) for name, at in self.next_ids.items())
        return ",".join(f"{name}:{at}" for name, at in pairs)

    @classmethod
    def parse(cls, watermark: str, symbols: Sequence[str]) -> Cursors:
        """Return where to read on; symbols that are new to it from the beginning.

        Raises:
            VenueRefused: it is no watermark of this venue.
        """
        known: dict[str, int | None] = dict.fromkeys(symbols)
        for part in watermark.split(",") if watermark else ():
            name, colon, at = part.partition(":")
            if not colon or not name or (at and not at.isdecimal()):
                reason = f"expected SYMBOL:ID,... as a watermark, got {watermark!r}"
                raise VenueRefused(reason, "watermark")
            if name in known:
                known[name] = int(at) if at else None
        return cls(known)


class History:
    """Reads the trades of the account."""

    def __init__(self, rest: Rest, from_us: int | None) -> None:
        """Begin at ``from_us`` (venue time) where there is no watermark."""
        self._rest = rest
        self._routes = rest.routes
        self._from_us = from_us
        self._names: dict[tuple[str, int], str] = {}
        self._wholes: dict[tuple[str, int], dict[int, Executed]] = {}
        """All trades of an order as they were read last, by their ids."""

    async def since(self, cursors: Cursors) -> tuple[list[Executed], Cursors]:
        """Return all executions from ``cursors`` on, by symbol, and where to go on."""
        said, after = list[Executed](), dict[str, int | None]()
        for symbol, at in cursors.next_ids.items():
            trades = await self._from(symbol, at)
            after[symbol] = self._next(trades, at)
            said += await self._told(symbol, trades)
        return said, Cursors(after)

    async def trades_of(self, row: OrderRow | OrderReport) -> list[TradeRow]:
        """Return all trades of one order."""
        return await self._all({"symbol": row.symbol, "orderId": row.order_id})

    async def _from(self, symbol: str, at: int | None) -> list[TradeRow]:
        """Return the trades from the id ``at`` on."""
        if at is not None or self._from_us is None:
            return await self._all({"symbol": symbol, "fromId": at or 0})
        from_ms, window_s = self._from_us // 1000, self._routes.trades_window_s
        if window_s is None:
            return await self._all({"symbol": symbol, "startTime": from_ms})
        # Each answer ends that long after its beginning, whatever came later.
        for begin_ms in range(
            from_ms, self._rest.time.now_ms() + 1, int(window_s * 1e3)
        ):
            found = await self._page(
                {"symbol": symbol, "startTime": begin_ms, "limit": PAGE}
            )
            if found:
                first = min(each.id for each in found)
                return await self._all({"symbol": symbol, "fromId": first})
        return []

    async def _all(self, asked: dict[str, Value]) -> list[TradeRow]:
        """Return the trades that are asked for, page by page."""
        asked = {**asked, "limit": PAGE}
        trades = page = await self._page(asked)
        while len(page) == PAGE:
            asked.pop("startTime", None)
            asked["fromId"] = max(each.id for each in page) + 1
            page = await self._page(asked)
            trades = trades + page
        return trades

    async def _page(self, asked: dict[str, Value]) -> list[TradeRow]:
        kind = self._routes.trade_row
        return await self._rest.ask(self._routes.trades, asked, list[kind])  # type: ignore[valid-type]

    def _next(self, trades: Sequence[TradeRow], at: int | None) -> int | None:
        """Return the first id that may still have one before it that does not show."""
        settled_ms = self._rest.time.now_ms() - round(OVERLAP_S * 1000)
        fresh = [each.id for each in trades if each.time >= settled_ms]
        if fresh:
            return min(fresh)
        return max((each.id for each in trades), default=(at or 0) - 1) + 1 or at

    async def _told(self, symbol: str, trades: Sequence[TradeRow]) -> list[Executed]:
        """Return ``trades`` as executions; how much of an order each one makes up.

        The list does not say whose they are, nor what was filled before. That is asked
        for once, and again as soon as it shows a trade of the order that was not there.

        Raises:
            OutcomeUnknown: the lists of the venue contradict each other.
        """
        sides = {each.id: Side.BUY if each.is_buyer else Side.SELL for each in trades}
        orders: dict[int, set[int]] = {}
        for each in trades:
            orders.setdefault(each.order_id, set()).add(each.id)
        told: dict[int, Executed] = {}
        for number, ids in orders.items():
            for trade_id, event in (await self._whole(symbol, number, ids)).items():
                if trade_id in sides:
                    told[trade_id] = replace(
                        event, instrument=symbol, side=sides[trade_id]
                    )
        if missing := sides.keys() - told.keys():
            message = f"{symbol}: trades {sorted(missing)} are of no order"
            raise OutcomeUnknown(message)
        return [told[each] for each in sorted(told)]

    async def _whole(
        self, symbol: str, number: int, ids: set[int]
    ) -> dict[int, Executed]:
        """Return all trades of an order, by id; ``ids`` are those that were listed."""
        known = self._wholes.get((symbol, number), {})
        if ids <= known.keys():
            return known
        order_id = await self._name(symbol, number)
        rows = await self._all({"symbol": symbol, "orderId": number})
        numbers = sorted(each.id for each in rows)
        whole = dict(zip(numbers, executions(order_id, rows), strict=True))
        self._wholes[symbol, number] = whole
        if len(self._wholes) > WHOLE:
            del self._wholes[next(iter(self._wholes))]
        return whole

    async def _name(self, symbol: str, number: int) -> str:
        """Return the client order id of an order of which the venue gave its own id."""
        known = self._names.get((symbol, number))
        if known is None:
            asked: dict[str, Value] = {"symbol": symbol, "orderId": number}
            row = await self._rest.ask(self._routes.order, asked, OrderRow)
            known = Name.parse(row.client_order_id).order_id
            self._names[symbol, number] = known
            if len(self._names) > REMEMBERED:
                del self._names[next(iter(self._names))]
        return known
