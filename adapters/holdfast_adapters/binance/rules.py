"""What Binance's filters ask of an order, as an `Instrument` and what goes beyond it.

Source: binance-spot-api-docs, filters.md. A multiple is one of exact decimals.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from holdfast_adapters.binance.wire import Filter, Symbol
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO
from holdfast_domain.orders import Side


@attrs.frozen(kw_only=True)
class Range:
    """From the least to the most that is legal; None where there is no limit."""

    least: Decimal | None = None
    most: Decimal | None = None

    def __contains__(self, value: Decimal) -> bool:
        above = self.least is None or value >= self.least
        return above and (self.most is None or value <= self.most)


@attrs.frozen(kw_only=True)
class SymbolRules:
    """What holds for the orders of one symbol."""

    instrument: Instrument
    quote: str
    trades: bool
    """Whether it takes orders now; a symbol that is halted or delisted does not."""

    price: Range
    quantity: Range
    market_quantity: Range
    """Of market orders, on top of ``quantity``."""

    notional: Range
    multipliers: dict[Side, Range]
    """Price over the average price of the last minutes, by side."""

    max_orders: int | None
    """How many orders may be open at once."""

    def price_band(self, side: Side, average: Decimal) -> Range:
        """Return the legal prices of a side while the average price is ``average``."""
        by = self.multipliers[side]
        return Range(
            least=None if by.least is None else by.least * average,
            most=None if by.most is None else by.most * average,
        )


def rules_of(symbol: Symbol, venue: str, *, holds_assets: bool = True) -> SymbolRules:
    """Return the rules of ``symbol`` at ``venue``; a filter that is 0 is off.

    ``holds_assets`` is false where what is bought is a contract, as of a future.
    """
    by_type = {each.filter_type: each for each in symbol.filters}
    nothing = Filter(filter_type="")
    price = by_type.get("PRICE_FILTER", nothing)
    lot = by_type.get("LOT_SIZE", nothing)
    market = by_type.get("MARKET_LOT_SIZE", nothing)
    worth = by_type.get("NOTIONAL") or by_type.get("MIN_NOTIONAL", nothing)
    orders = by_type.get("MAX_NUM_ORDERS", nothing)
    return SymbolRules(
        instrument=Instrument(
            symbol=symbol.symbol,
            venue=venue,
            currency=symbol.quote_asset,
            base=symbol.base_asset if holds_assets else "",
            tick=price.tick_size or None,
            lot=lot.step_size or Decimal("0.00000001"),
            min_notional=worth.min_notional or worth.notional or ZERO,
        ),
        quote=symbol.quote_asset,
        trades=symbol.status == "TRADING",
        price=Range(least=price.min_price or None, most=price.max_price or None),
        quantity=Range(least=lot.min_qty, most=lot.max_qty),
        market_quantity=Range(least=market.min_qty, most=market.max_qty or None),
        notional=Range(
            least=worth.min_notional or worth.notional, most=worth.max_notional
        ),
        multipliers=_multipliers(by_type),
        max_orders=orders.max_num_orders or orders.limit,
    )


def _multipliers(by_type: dict[str, Filter]) -> dict[Side, Range]:
    both = by_type.get("PERCENT_PRICE")
    sides = by_type.get("PERCENT_PRICE_BY_SIDE")
    if sides is not None:
        return {
            Side.BUY: Range(
                least=sides.bid_multiplier_down, most=sides.bid_multiplier_up
            ),
            Side.SELL: Range(
                least=sides.ask_multiplier_down, most=sides.ask_multiplier_up
            ),
        }
    band = (
        Range()
        if both is None
        else Range(least=both.multiplier_down, most=both.multiplier_up)
    )
    return {Side.BUY: band, Side.SELL: band}
