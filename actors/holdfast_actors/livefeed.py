"""The feed of a live market: what it is told is on the tape before it is acted upon.

What was missed is asked of the venue, and is on the tape with a mark that says so.
It only makes the data grow. The feed of the replay publishes it, as it does what was
recorded, so that a live engine is a replay of a tape of which the end is not known yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from holdfast_actors.messages import Grown, Report
from holdfast_domain.errors import VenueError
from holdfast_domain.growing import GrowingData, Seen
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.pastbars import PastBars
from holdfast_domain.ports import MarketSource, TapeStore, ThreadHost
from holdfast_domain.stepping import News, StepMaker
from holdfast_runtime import MailboxClosed, MailboxFull, Ref

WRITE_S = 30.0
"""A disk that takes longer over a few steps is taken to hang."""


class LiveFeed:
    """Holds nothing that the tape does not have, but for bars in the making."""

    def __init__(
        self,
        *,
        source: MarketSource,
        tape: TapeStore,
        data: GrowingData,
        maker: Callable[[], StepMaker],
        host: ThreadHost,
        feed: Ref[Any],
        now_s: Callable[[], float],
        past: PastBars | None = None,
        said: Callable[[str], None] = lambda _text: None,
        relays: Sequence[Ref[Any]] = (),
    ) -> None:
        """Tell ``feed`` of what was added to ``data``; the disk is used on ``host``.

        So are ``relays``, which pass it on to feeds of their own.

        What was missed is asked of ``past``; ``said`` is told of what stays missing.
        """
        self._source = source
        self._tape = tape
        self._data = data
        self._make = maker
        self._host = host
        self._feed = feed
        self._relays = relays
        self._now_s = now_s
        self._heard_s: dict[str, float] = {}
        """When each subscription told something last."""
        self._past = past
        self._said = said

    def start(self) -> None:
        """Take what was written by an incarnation that did not live to say so."""
        for step in self._tape.read(len(self._data)):
            self._data.append(step)
        self._maker = self._make()
        self._feed.tell(Grown())
        self._relay()

    def handle(self, message: Report) -> object:
        """Return how many steps there are, and for how long who was silent."""
        del message
        now_s = self._now_s()
        silent_s = {name: now_s - at_s for name, at_s in self._heard_s.items()}
        return {"steps": len(self._data), "silent_s": silent_s}

    async def run(self) -> None:
        """Listen, until cancelled."""
        await self._source.run(self._take)

    def _hear(self, news: News) -> None:
        """Note of whom something came; the names of a batch are few."""
        now_s = self._now_s()
        for kind, told in (("trades", news.trades), ("quotes", news.quotes)):
            for name in {each.instrument for each in told}:
                self._heard_s[f"{name} {kind}"] = now_s

    async def _take(self, news: News) -> None:
        self._hear(news)
        # In this order, for what is missing was before what is heard now.
        steps = await self._missed(news) + self._maker.take(news)
        if not steps:
            return
        await self._host.run(self._tape.append, steps, deadline_s=WRITE_S)
        for step in steps:
            self._data.append(step)
        await self._feed.send(Grown())
        self._relay()

    def _relay(self) -> None:
        for relay in self._relays:
            # One that is parked, or cannot follow, is no trouble of this feed.
            with suppress(MailboxClosed, MailboxFull):
                relay.tell(Grown())

    async def _missed(self, news: News) -> list[Seen]:
        """Return the bars that are missing before ``news``, if there are any by now."""
        hole = None if self._past is None else self._maker.hole(news)
        if hole is None or self._past is None:
            return []
        try:
            bars = await self._past.between(hole.after_us, hole.until_us)
        except VenueError as error:
            if self._maker.failed(hole, news.now_us):
                after, until = utc_from_us(hole.after_us), utc_from_us(hole.until_us)
                self._said(
                    f"bars from {after:%Y-%m-%d %H:%M:%S} to {until:%H:%M:%S} UTC stay "
                    f"missing: {error}"
                )
            return []
        return self._maker.fill(hole, bars, news.now_us)
