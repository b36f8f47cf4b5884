"""What a venue refuses before an order gets into its book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from holdfast_adapters.matching.book import Working
from holdfast_adapters.matching.model import MarketView
from holdfast_domain.errors import VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO, Price, to_decimal
from holdfast_domain.orderlists import ListKind
from holdfast_domain.orders import OrderTerms, OrderType, Side
from holdfast_domain.ports import VenueOrder

_MARKET = OrderType.MARKET


def checked(
    terms: OrderTerms,
    instruments: Mapping[str, Instrument],
    now: MarketView,
    waits: bool = False,
) -> Instrument:
    """Return the instrument of ``terms``; an order that ``waits`` trades later.

    Raises:
        VenueRefused: with the code ``unknown_symbol``, ``quantity``, ``lot``,
            ``price``, ``tick``, ``min_notional`` or ``post_only``.
    """
    instrument = instruments.get(terms.instrument)
    if instrument is None:
        reason = f"expected a known symbol, got {terms.instrument!r}"
        raise VenueRefused(reason, "unknown_symbol")
    quantity = terms.quantity.value
    if quantity <= ZERO or not _is_multiple(quantity, instrument.lot):
        raise _illegal(quantity, instrument)
    if terms.type is not _MARKET:
        _check_prices(terms, instrument)
    if instrument.min_notional:
        _check_notional(terms, instrument, now)
    if terms.post_only and terms.limit_price is not None and not waits:
        _check_rests(terms, terms.limit_price.value, now)
    return instrument


def check_list(
    orders: Sequence[VenueOrder], instruments: Mapping[str, Instrument], now: MarketView
) -> None:
    """Refuse a list of which a leg would be refused, or an OCO around no price.

    Raises:
        VenueRefused: the codes of `checked`, or ``oco_prices``.
    """
    for each in orders:
        waits = each.leg is not None and each.leg.is_held
        checked(each.terms, instruments, now, waits=waits)
    leg = orders[0].leg
    if leg is not None and leg.kind is ListKind.OCO:
        _check_around(orders[0].terms, orders[1].terms, now)


def _check_around(profit: OrderTerms, loss: OrderTerms, now: MarketView) -> None:
    """Refuse two exits that do not have the last price between them."""
    last = now.last(profit.instrument)
    limit, stop = profit.limit_price, loss.stop_price
    if last is None or limit is None or stop is None:
        return
    price = to_decimal(last.close)
    if not min(limit.value, stop.value) < price < max(limit.value, stop.value):
        reason = (
            f"expected the last price {price} between the take-profit {limit.value} "
            f"and the stop {stop.value}"
        )
        raise VenueRefused(reason, "oco_prices")


def check_replacement(order: Working, terms: OrderTerms) -> None:
    """Refuse ``terms`` that are another order, or less than is filled already.

    Raises:
        VenueRefused: with the code ``terms``, ``quantity`` or ``leg``.
    """
    if order.leg is not None:
        reason = "expected an order of no list: cancel the list and place it anew"
        raise VenueRefused(reason, "leg")
    old = order.terms
    if (old.instrument, old.side, old.type) != (
        terms.instrument,
        terms.side,
        terms.type,
    ):
        reason = "expected the same instrument, side and type in a replacement"
        raise VenueRefused(reason, "terms")
    if terms.quantity.value <= order.filled:
        reason = f"expected more than the filled {order.filled}, got {terms.quantity}"
        raise VenueRefused(reason, "quantity")


def _illegal(quantity: Decimal, instrument: Instrument) -> VenueRefused:
    if quantity <= ZERO:
        reason = f"expected a quantity above 0, got {quantity}"
        return VenueRefused(reason, "quantity")
    reason = f"expected a multiple of the lot {instrument.lot}, got {quantity}"
    return VenueRefused(reason, "lot")


def _check_prices(terms: OrderTerms, instrument: Instrument) -> None:
    for price in (terms.limit_price, terms.stop_price, terms.trail):
        if price is not None:
            _check_price(price, instrument)


def _check_price(price: Price, instrument: Instrument) -> None:
    if price.value <= 0:
        reason = f"expected a price above 0, got {price.value}"
        raise VenueRefused(reason, "price")
    tick = instrument.tick_at(price.value)
    if tick is not None and not _is_multiple(price.value, tick):
        reason = f"expected a multiple of the tick {tick}, got {price.value}"
        raise VenueRefused(reason, "tick")


def _is_multiple(value: Decimal, step: Decimal) -> bool:
    try:
        return not value % step
    except InvalidOperation:  # more digits than any legal order has
        return False


def _check_notional(terms: OrderTerms, instrument: Instrument, now: MarketView) -> None:
    price = _price_for_notional(terms, now)
    if price is None:
        return
    worth = abs(instrument.notional(price, terms.quantity.value))
    if worth < instrument.min_notional:
        reason = f"expected at least {instrument.min_notional}, got {worth}"
        raise VenueRefused(reason, "min_notional")


def _check_rests(terms: OrderTerms, limit: Decimal, now: MarketView) -> None:
    """Refuse a post-only order that would trade at the last price."""
    last = now.last(terms.instrument)
    if last is None:
        return
    price = to_decimal(last.close)
    if limit >= price if terms.side is Side.BUY else limit <= price:
        reason = f"post-only, but {limit} would trade at once: the last was {price}"
        raise VenueRefused(reason, "post_only")


def _price_for_notional(terms: OrderTerms, now: MarketView) -> Decimal | None:
    """Return the price to judge by: the last one, where an order has none."""
    price = terms.limit_price or terms.stop_price
    if price is not None:
        return price.value
    last = now.last(terms.instrument)
    return to_decimal(last.close) if last else None
