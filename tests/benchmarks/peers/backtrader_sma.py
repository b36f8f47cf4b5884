"""backtrader: SMA cross 10/30, long or flat, one unit, 0.1 % commission."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import backtrader as bt
import pandas as pd


class SmaCross(bt.Strategy):
    """Long one unit while the fast average is above the slow one."""

    def __init__(self):
        self.fast = bt.ind.SMA(self.data.close, period=10)
        self.slow = bt.ind.SMA(self.data.close, period=30)
        self.fills = 0

    def notify_order(self, order):
        if order.status == order.Completed:
            self.fills += 1

    def next(self):
        up = self.fast[0] > self.slow[0]
        held = self.position.size
        if up and not held:
            self.buy(size=1)
        elif not up and held:
            self.sell(size=1)


def main() -> None:
    path = Path(sys.argv[1]) / "walk.csv"
    bars = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    bars.index = bars.index.tz_localize(None)
    cerebro = bt.Cerebro(stdstats=False, runonce=True, preload=True)
    cerebro.broker.setcash(1_000_000.0)
    cerebro.broker.setcommission(0.001)
    cerebro.adddata(bt.feeds.PandasData(dataname=bars))
    cerebro.addstrategy(SmaCross)
    began = time.perf_counter()
    (strategy,) = cerebro.run()
    took_s = time.perf_counter() - began
    figures = {
        "value": len(bars) / took_s,
        "fills": strategy.fills,
        "final_equity": round(cerebro.broker.getvalue(), 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
