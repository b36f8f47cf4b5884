"""Hears what the market does: trades and quotes of some symbols, as they come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from random import Random  # noqa: TID251 - the composition root seeds it

import trio

from holdfast_adapters.binance.dialects import MarketDialect
from holdfast_adapters.pacing import Pace
from holdfast_adapters.streams import (
    Data,
    Down,
    Dropped,
    Gap,
    Garbled,
    Overflow,
    Refused,
    Stale,
    Stream,
    StreamClient,
    StreamEvent,
    StreamPlan,
    Subscription,
    Tap,
    Up,
)
from holdfast_domain.marketdata import Quote, Trade
from holdfast_domain.stepping import News


class MarketStream:
    """A `MarketSource` over the exchange's combined streams."""

    def __init__(
        self,
        plan: StreamPlan,
        symbols: Sequence[str],
        now_us: Callable[[], int],
        random: Random,
        *,
        trades: str = "trade",
        quotes: StreamPlan | None = None,
        pulse_s: float = 0.25,
        said: Callable[[str], None] = lambda _text: None,
        tap: Tap | None = None,
    ) -> None:
        """Tell at once what comes now and then, and of more in batches of ``pulse_s``.

        When nothing came it tells that every ``pulse_s``, too. The venue's clock is
        ``now_us``.

        ``trades`` is the kind of stream that tells trades. Quotes are heard as
        ``quotes`` says, over the same connection where the address is the same.

        ``said`` is told, in words, of what a person might want to know, and ``tap`` of
        each message as it came.
        """
        self._pace = Pace(pulse_s)

        def client(plan: StreamPlan) -> StreamClient:
            return StreamClient(
                Stream(
                    plan, lambda: MarketDialect(lambda: now_us() // 1000), random, tap
                ),
                told=self._pace.ring,
            )

        self.client = client(plan)
        self._trades = f"@{trades}"
        self._now_us = now_us
        self._said = said
        names = [symbol.lower() for symbol in symbols]
        self._clients = {
            self.client: [Subscription(key=f"{n}@{trades}") for n in names]
        }
        if quotes is not None:
            beside = self.client if quotes.url == plan.url else client(quotes)
            self._clients.setdefault(beside, []).extend(
                Subscription(key=f"{name}@bookTicker", overflow=Overflow.CONFLATE)
                for name in names
            )
        self._whole_from_us: int | None = None
        self._settled_us = now_us()
        """When everything had been read that the sockets had."""

    async def run(self, take: Callable[[News], Awaitable[None]]) -> None:
        """Listen, and tell; see `MarketSource.run`."""
        async with trio.open_nursery() as nursery:
            for client, wanted in self._clients.items():
                await nursery.start(client.run)
                client.subscribe(wanted)
            nursery.start_soon(self._pace.beat)
            while True:
                await self._pace.wait()
                await self._settle()
                await take(self._news())

    async def _settle(self) -> None:
        """Let time go on only as far as the market was heard: it closes quiet bars."""
        now_us = self._now_us()
        if all([await client.caught_up() for client in self._clients]):
            self._settled_us = now_us

    def _news(self) -> News:
        trades: list[Trade] = []
        quotes: list[Quote] = []
        for client in self._clients:
            for event in client.inbox.take():
                match event:
                    case Data(value=Trade() as trade):
                        trades.append(trade)
                    case Data(value=Quote() as quote):
                        quotes.append(quote)
                    case _ if client is self.client:
                        self._heard(event)
                    case Down(why=why):
                        self._said(f"quotes are not heard: {why}")
                    case _:
                        pass  # quotes replace one another: none is missing for long
        return News(
            now_us=self._settled_us,
            trades=tuple(trades),
            quotes=tuple(quotes),
            whole_from_us=self._whole_from_us,
        )

    def _heard(self, event: StreamEvent) -> None:
        """Take how the stream lives: what follows a hole is whole again from now on."""
        match event:
            case Up(hole_s=hole_s):
                self._whole_from_us = self._now_us()
                missed = "" if hole_s is None else f" after {hole_s:.1f} s"
                self._said(f"the market is heard{missed}")
            case Down(why=why):
                if self._whole_from_us is not None:
                    self._said(f"the market is not heard: {why}")
                self._whole_from_us = None
            case Gap(key=key) | Dropped(key=key) if key.endswith(self._trades):
                self._whole_from_us = self._now_us()
                self._said(f"trades are missing of {key}")
            case Garbled(why=why):
                self._whole_from_us = self._now_us()
                self._said(f"a message could not be read: {why}")
            case Refused(key=key, code=code, reason=reason):
                self._said(f"{key} was refused: {code} {reason}")
            case Stale(key=key, silent_s=silent_s):
                self._said(f"{key} is silent for {silent_s:.1f} s")
            case _:
                pass  # nothing is missing by it
