"""NautilusTrader: SMA cross 10/30, long or flat, one unit, 0.1 % commission.

Its own Cython indicators, a Python strategy, logging off, and no throttle on orders.
Making the bars is not timed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
from nautilus_common import VENUE, instrument
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

UNTHROTTLED = "100000000/00:00:01"


class SmaCross(Strategy):
    """Long one unit while the fast average is above the slow one."""

    def __init__(self, pair, bar_type):
        super().__init__()
        self.pair = pair
        self.bar_type = bar_type
        self.unit = pair.make_qty(1)
        self.fast = SimpleMovingAverage(10)
        self.slow = SimpleMovingAverage(30)
        self.bars = self.fills = 0

    def on_start(self):
        self.register_indicator_for_bars(self.bar_type, self.fast)
        self.register_indicator_for_bars(self.bar_type, self.slow)
        self.subscribe_bars(self.bar_type)

    def on_bar(self, bar):
        self.bars += 1
        if not self.slow.initialized:
            return
        up = self.fast.value > self.slow.value
        flat = self.portfolio.is_flat(self.pair.id)
        if up and flat:
            self.trade(OrderSide.BUY)
        elif not up and not flat:
            self.trade(OrderSide.SELL)

    def trade(self, side):
        order = self.order_factory.market(self.pair.id, side, self.unit)
        self.submit_order(order)

    def on_order_filled(self, event):
        self.fills += 1


def bars_of(path: Path, bar_type: BarType) -> list[Bar]:
    """The file's rows as the engine's own objects, oldest first."""
    frame = pd.read_csv(path, parse_dates=["timestamp"])
    ends_ns = frame["timestamp"].astype("datetime64[ns, UTC]").astype("int64").tolist()
    prices = [
        [Price(price, 2) for price in frame[name].tolist()]
        for name in ("open", "high", "low", "close")
    ]
    volumes = [Quantity(volume, 6) for volume in frame["volume"].tolist()]
    rows = zip(*prices, volumes, ends_ns, strict=True)
    return [Bar(bar_type, *row, row[-1]) for row in rows]


def engine_of(loaded: list[tuple[CurrencyPair, list[Bar], Strategy]]) -> BacktestEngine:
    """An engine with the data of each pair and its strategy loaded, not yet run."""
    config = BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True),
        run_analysis=False,
        risk_engine=RiskEngineConfig(max_order_submit_rate=UNTHROTTLED),
    )
    engine = BacktestEngine(config)
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        base_currency=None,
        starting_balances=[Money(1_000_000, USDT)],
    )
    for pair, bars, strategy in loaded:
        engine.add_instrument(pair)
        engine.add_data(bars)
        engine.add_strategy(strategy)
    return engine


def main() -> None:
    pair = instrument()
    bar_type = BarType.from_str(f"{pair.id}-1-MINUTE-LAST-EXTERNAL")
    bars = bars_of(Path(sys.argv[1]) / "walk.csv", bar_type)
    strategy = SmaCross(pair, bar_type)
    engine = engine_of([(pair, bars, strategy)])
    began = time.perf_counter()
    engine.run()
    took_s = time.perf_counter() - began
    if strategy.bars != len(bars):
        sys.exit(f"the strategy saw {strategy.bars} of {len(bars)} bars")
    balance = engine.cache.account_for_venue(VENUE).balance_total(USDT)
    figures = {
        "value": len(bars) / took_s,
        "fills": strategy.fills,
        "final_cash": float(balance.as_decimal()),
    }
    print(json.dumps(figures))
    engine.dispose()


if __name__ == "__main__":
    main()
