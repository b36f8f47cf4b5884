"""What a paper venue takes of the market: its bars, or the trades as they came."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from holdfast_adapters.matching.engine import MatchingEngine
from holdfast_adapters.matching.model import LastBar, MarketView
from holdfast_domain.marketdata import MarketData, us_of
from holdfast_domain.ports import VenueEvent


def last_of(data: MarketData, symbol: str, step: int) -> LastBar | None:
    """Return the newest bar of ``symbol`` that has ended by ``step``, or a trade.

    Where the trades are told, the last of them stands for a bar of one price.
    """
    if step < 0:
        return None
    trade = data.last_trade(symbol, step)
    if trade is not None:
        return LastBar(trade.price, trade.size, us_of(trade.traded_at))
    row = data.seen[symbol][step] - 1
    if row < 0:
        return None
    columns = data.columns[symbol]
    values = columns.values
    return LastBar(values["close"][row], values["volume"][row], columns.ends_us[row])


def match_trades(
    engine: MatchingEngine, data: MarketData, step: int, wanted: Collection[str]
) -> list[VenueEvent]:
    """Match the trades of ``step``, each as a bar of one price at its moment."""
    said: list[VenueEvent] = []
    for trade in data.news(step)[0]:
        if trade.instrument in wanted:
            at_us, price = us_of(trade.traded_at), trade.price
            said += engine.on_bar(
                trade.instrument,
                open_=price,
                high=price,
                low=price,
                close=price,
                volume=trade.size,
                opened_at_us=at_us,
                ended_at_us=at_us,
            )
    return said


@attrs.frozen
class Later:
    """The market as ``now`` knows it, at a moment that may be later."""

    now: MarketView
    time_us: int

    def last(self, symbol: str) -> LastBar | None:
        """Return the newest bar of ``symbol`` that has ended."""
        return self.now.last(symbol)
