"""How a user's strategy is called: which of its methods, and with what."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Protocol

from holdfast_actors.strategy.api import Context, Strategy
from holdfast_actors.strategy.news import message_of
from holdfast_actors.strategy.orders import Desk
from holdfast_actors.strategy.portfolio import Portfolio
from holdfast_actors.strategy.views import OrderView
from holdfast_domain import events as ev
from holdfast_domain.marketdata import MarketData


def tell(
    strategy: Strategy, context: Context, event: ev.Event, order: OrderView | None
) -> None:
    """Tell a strategy of its ``order``, fills apart; without one, what a venue said."""
    if order is None:
        if (message := message_of(event)) is not None:
            strategy.on_broker_message(context, message)
    else:
        _tell_of_order(strategy, context, event, order)


def _tell_of_order(
    strategy: Strategy, context: Context, event: ev.Event, order: OrderView
) -> None:
    """Tell a strategy what happened to an order of its own."""
    match event:
        case ev.OrderNotPlaced(canceled=True):
            strategy.on_order_cancel(context, order, event.reason)
        case ev.OrderRefused() | ev.OrderRejected() | ev.OrderNotPlaced():
            strategy.on_order_reject(context, order, event.reason)
        case ev.ChangeRefused() | ev.ReplaceRefused():
            # The order itself stands as it was: its status is still open.
            strategy.on_order_reject(context, order, f"not changed: {event.reason}")
        case ev.OrderResolved(outcome="not_placed"):
            strategy.on_order_reject(context, order, event.because)
        case ev.OrderResolved():
            strategy.on_order_cancel(context, order, event.because)
        case ev.OrderCanceled():
            strategy.on_order_cancel(context, order, event.reason)
        case ev.OrderExpired():
            strategy.on_order_cancel(context, order, "expired")
        case _:
            """Strategies have no word for it."""


def own_method(strategy: Strategy, name: str) -> Callable[..., None] | None:
    """Return a method that the user's class defines itself."""
    method = getattr(strategy, name, None)
    if method is None or getattr(type(strategy), name) is getattr(Strategy, name, None):
        return None
    return method  # type: ignore[no-any-return]


class Fires(Protocol):
    """For each step, whether a strategy is called."""

    def __getitem__(self, step: int, /) -> int: ...


class Growing:
    """Looks when it is asked: there is always more to come."""

    def __init__(self, data: MarketData, symbols: list[str], history: int) -> None:
        self._acts = data.acts
        self._seen = [data.seen[symbol] for symbol in symbols]
        self._history = history
        self._ready = 0
        """The first step that may be looked at, as far as steps were asked for."""

    def __getitem__(self, step: int) -> int:
        while self._ready <= step and self._waits(self._ready):
            self._ready += 1
        return step >= self._ready and self._acts(step) and self._has_bar(step)

    def _waits(self, step: int) -> bool:
        counts = [seen[step] for seen in self._seen]
        return not any(counts) or any(0 < each < self._history for each in counts)

    def _has_bar(self, step: int) -> bool:
        return any(seen[step] > (seen[step - 1] if step else 0) for seen in self._seen)


def fires_of(data: MarketData, subscribed: list[str], history: int) -> Fires | None:
    """Return for each step whether the strategy looks at its slice; None is always.

    It does if a subscribed instrument has a bar there, from the first step on at which
    those that have any bar have ``history`` of them. One that is listed later keeps
    nobody waiting. On what `MarketData.acts` says no to, it is not called.
    """
    symbols = subscribed or list(data.symbols)
    if data.grows:
        return Growing(data, symbols, history)
    ready = _ready_at([data.seen[symbol] for symbol in symbols], history)
    if any(len(data.columns[symbol]) == len(data) for symbol in symbols):
        fires = bytearray(b"\1") * len(data)
    else:
        fires = _with_bars(data, symbols)
    fires[:ready] = bytes(ready)
    for step in (*range(data.begins), *data.late):
        fires[step] = 0
    return None if all(fires) else fires


def _ready_at(seen: list[Sequence[int]], history: int) -> int:
    """Return the first step at which no instrument has some bars, and too few."""
    spans = sorted((bisect_left(each, 1), bisect_left(each, history)) for each in seen)
    ready = spans[0][0]
    for first, full in spans:
        if first > ready:
            break
        ready = max(ready, full)
    return ready


def _with_bars(data: MarketData, symbols: list[str]) -> bytearray:
    fires = bytearray(len(data))
    for symbol in symbols:
        before = 0
        for step, seen in enumerate(data.seen[symbol]):
            if seen > before:
                fires[step] = 1
            before = seen
    return fires


def report_of(portfolio: Portfolio, desk: Desk) -> dict[str, Any]:
    """Return what a strategy's actor tells of itself."""
    return {
        "cash": Decimal(portfolio.cash),
        "value": Decimal(portfolio.portfolio_value),
        "open_orders": len(desk.open),
        "decisions": desk.number,
    }
