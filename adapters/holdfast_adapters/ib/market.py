"""Hears what the market does: trades and quotes of contracts, as they come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from holdfast_adapters.ib.hub import Hub
from holdfast_adapters.ib.session import NEW, Session
from holdfast_adapters.ib.ticks import Quotes, Tick, trade_of
from holdfast_adapters.pacing import Pace
from holdfast_domain.errors import VenueError
from holdfast_domain.marketdata import Quote, Trade
from holdfast_domain.ports import Events, WallClock
from holdfast_domain.stepping import News

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 16.0
"""Between two attempts to connect."""


class IBMarket:
    """A `MarketSource` over a connection of its own, by a client id of its own.

    A hole is never heard away: after each one it connects anew, since TWS does not
    resubscribe to anything (1101), and a farm that was broken may tell nothing more.
    """

    def __init__(
        self,
        session: Session,
        hub: Hub,
        clock: WallClock,
        *,
        quotes: bool = False,
        pulse_s: float = 0.25,
        said: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Tell at once what comes now and then, and of more in batches of ``pulse_s``.

        When nothing came it tells that every ``pulse_s``, too. ``said`` is told what a
        person might want to know.
        """
        self._session = session
        self._clock = clock
        self._pace = Pace(pulse_s)
        self._said = said
        self._quotes = Quotes() if quotes else None
        self._trades: list[Trade] = []
        self._told: list[Quote] = []
        self._whole_from_us: int | None = None
        self._hole = ""
        self._listens = False
        """Whether what is lost from now on is lost to this connection."""

        self._events: Events[Tick] | None = None
        hub.attach(lambda _event: None, self._lost)

    async def run(self, take: Callable[[News], Awaitable[None]]) -> None:
        """Listen, and tell; see `MarketSource.run`."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._pace.beat)
            await self._run(take)

    async def _run(self, take: Callable[[News], Awaitable[None]]) -> None:
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                if await self._listen():
                    pause_s = FIRST_PAUSE_S
                    while not self._hole:
                        await self._pace.wait()
                        await take(await self._heard_news())
                    self._said(f"the market is not heard: {self._hole}")
                self._whole_from_us = None
                self._listens = False
                with trio.move_on_after(pause_s):
                    while True:
                        await self._pace.wait()
                        await take(self._news(self._clock.now_us()))
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            with trio.CancelScope(shield=True):
                await self._session.close()

    async def _listen(self) -> bool:
        """Connect, and subscribe; return whether it could be done."""
        await self._session.close()
        try:
            await self._session.connect()
            self._hole, self._listens = "", True
            self._events = await self._session.listen(self._heard)
        except (VenueError, ConnectionError) as error:
            self._said(f"the market is not heard: {error}")
            return False
        self._whole_from_us = self._clock.now_us()
        self._said("the market is heard")
        return True

    def _lost(self, why: str) -> None:
        # A refusal may come before all is subscribed to.
        if self._listens and why != NEW:
            self._hole = why
            self._pace.ring()

    def _heard(self, tick: Tick) -> None:
        symbol = self._session.names[tick.con_id]
        trade = trade_of(symbol, tick)
        if trade is not None:
            self._trades.append(trade)
            self._pace.ring()
        elif self._quotes is not None:
            quote = self._quotes.take(symbol, tick, self._clock.now_us())
            if quote is not None:
                self._told.append(quote)
                self._pace.ring()

    async def _heard_news(self) -> News:
        """Let time go on only as far as the market was heard: it closes quiet bars."""
        now_us = self._clock.now_us()
        try:
            await self._session.caught_up()
        except ConnectionError as error:
            self._lost(str(error))
        return self._news(now_us)

    def _news(self, now_us: int) -> News:
        if self._events is not None and self._events.dropped:
            self._lost(f"{self._events.dropped} ticks were dropped")
        trades, self._trades = self._trades, []
        quotes, self._told = self._told, []
        return News(
            now_us=now_us,
            trades=tuple(trades),
            quotes=tuple(quotes),
            whole_from_us=None if self._hole else self._whole_from_us,
        )
