"""NautilusTrader: the instrument that its benchmarks trade."""

from __future__ import annotations

from decimal import Decimal

from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Price, Quantity

VENUE = Venue("SIM")
COMMISSION = Decimal("0.001")


def instrument(symbol: str = "WALKUSDT") -> CurrencyPair:
    """A pair with ticks of a cent and 0.1 % commission."""
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol(symbol), VENUE),
        raw_symbol=Symbol(symbol),
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=2,
        size_precision=6,
        price_increment=Price.from_str("0.01"),
        size_increment=Quantity.from_str("0.000001"),
        lot_size=None,
        max_quantity=Quantity.from_str("9000.000000"),
        min_quantity=Quantity.from_str("0.000001"),
        max_notional=None,
        min_notional=None,
        max_price=Price.from_str("1000000.00"),
        min_price=Price.from_str("0.01"),
        margin_init=Decimal(0),
        margin_maint=Decimal(0),
        maker_fee=COMMISSION,
        taker_fee=COMMISSION,
        ts_event=0,
        ts_init=0,
    )
