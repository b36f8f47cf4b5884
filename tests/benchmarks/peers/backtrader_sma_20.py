"""backtrader: SMA cross 10/30 on each of 20 instruments, one unit, 0.1 % commission."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import backtrader as bt
import pandas as pd


class SmaCrosses(bt.Strategy):
    """Long one unit of each whose fast average is above its slow one."""

    def __init__(self):
        self.fast = [bt.ind.SMA(data.close, period=10) for data in self.datas]
        self.slow = [bt.ind.SMA(data.close, period=30) for data in self.datas]
        self.fills = 0

    def notify_order(self, order):
        if order.status == order.Completed:
            self.fills += 1

    def next(self):
        for data, fast, slow in zip(self.datas, self.fast, self.slow, strict=True):
            up = fast[0] > slow[0]
            held = self.getposition(data).size
            if up and not held:
                self.buy(data=data, size=1)
            elif not up and held:
                self.sell(data=data, size=1)


def main() -> None:
    cerebro = bt.Cerebro(stdstats=False, runonce=True, preload=True)
    cerebro.broker.setcash(1_000_000.0)
    cerebro.broker.setcommission(0.001)
    count = 0
    for path in sorted((Path(sys.argv[1]) / "several_csv").glob("*.csv")):
        bars = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
        bars.index = bars.index.tz_localize(None)
        cerebro.adddata(bt.feeds.PandasData(dataname=bars), name=path.stem)
        count += len(bars)
    cerebro.addstrategy(SmaCrosses)
    began = time.perf_counter()
    (strategy,) = cerebro.run()
    took_s = time.perf_counter() - began
    figures = {
        "value": count / took_s,
        "fills": strategy.fills,
        "final_equity": round(cerebro.broker.getvalue(), 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
