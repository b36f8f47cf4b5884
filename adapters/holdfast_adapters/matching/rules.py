"""Which price a bar offers an order: decisions only, nothing is changed here.

Nothing may need the path inside a bar. So a stop-limit that is triggered inside a bar
fills in it only if its limit is marketable at the stop, or if the close proves that
the limit was there after the trigger.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from holdfast_adapters.matching.book import MatchBar, Working
from holdfast_adapters.matching.model import FillAt
from holdfast_domain.orders import OrderType

Hit: TypeAlias = tuple[Decimal | None, int, bool]
"""Price (``None``: no fill), time of the fill in µs, whether a stop was triggered."""

MISS: Hit = (None, 0, False)


def hit(order: Working, bar: MatchBar, fill: FillAt) -> Hit:
    """Return what ``bar`` offers ``order``, before slippage."""
    kind = order.kind
    if kind is OrderType.MARKET:
        if fill is FillAt.NEXT_OPEN:
            return bar.price(bar.open), bar.opened_at_us, False
        return bar.price(bar.close), bar.ended_at_us, False
    if kind is OrderType.LIMIT:
        return _limit(order, bar, triggered=False)
    if kind is OrderType.STOP:
        return _stop(order, bar, order.stop)
    if kind is OrderType.TRAILING_STOP:
        return _trailing_stop(order, bar)
    return _stop_limit(order, bar)


def is_at_or_better(order: Working, price: Decimal) -> bool:
    """Tell whether ``price`` is within the order's limit."""
    return price <= order.limit if order.buy else price >= order.limit


def _is_reached(order: Working, price: Decimal, stop: Decimal) -> bool:
    return price >= stop if order.buy else price <= stop


def _limit(order: Working, bar: MatchBar, *, triggered: bool) -> Hit:
    opening = bar.price(bar.open)
    if is_at_or_better(order, opening):
        price = order.limit if order.makes else opening
        return price, bar.opened_at_us, triggered
    best = bar.low if order.buy else bar.high
    if not order.immediate and is_at_or_better(order, bar.price(best)):
        return order.limit, bar.ended_at_us, triggered
    return None, 0, triggered


def _stop(order: Working, bar: MatchBar, stop: Decimal) -> Hit:
    opening = bar.price(bar.open)
    if _is_reached(order, opening, stop):
        return opening, bar.opened_at_us, True
    far = bar.high if order.buy else bar.low
    if _is_reached(order, bar.price(far), stop):
        return stop, bar.ended_at_us, True
    return MISS


def _trailing_stop(order: Working, bar: MatchBar) -> Hit:
    """Look at the stop as the bar's open leaves it, and at the close behind its best.

    What comes first within a bar, its high or its low, is not known. So its best price
    moves the stop for later bars, unless the close is beyond that stop: the best was
    before the close.
    """
    opening = bar.price(bar.open)
    best = order.best
    if best is not None and _is_reached(order, opening, order.stop_behind(best)):
        return opening, bar.opened_at_us, True
    moved = order.stop_behind(order.better(opening))
    far = bar.price(bar.high if order.buy else bar.low)
    if _is_reached(order, far, moved):
        return moved, bar.ended_at_us, True
    last = order.stop_behind(order.better(best_of(order, bar)))
    if _is_reached(order, bar.price(bar.close), last):
        return last, bar.ended_at_us, True
    return MISS


def best_of(order: Working, bar: MatchBar) -> Decimal:
    """Return the price of ``bar`` that a trailing stop follows."""
    return bar.price(bar.low if order.buy else bar.high)


def _stop_limit(order: Working, bar: MatchBar) -> Hit:
    at, _, reached = _stop(order, bar, order.stop)
    if not reached or at is None:
        return MISS
    if _is_reached(order, bar.price(bar.open), order.stop):
        return _limit(order, bar, triggered=True)
    if is_at_or_better(order, order.stop):
        return order.stop, bar.ended_at_us, True
    if not order.immediate and is_at_or_better(order, bar.price(bar.close)):
        return order.limit, bar.ended_at_us, True
    return None, 0, True
