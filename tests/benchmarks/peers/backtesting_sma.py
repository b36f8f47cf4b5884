"""backtesting.py: SMA cross 10/30, long or flat, one unit, 0.1 % commission."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd
from backtesting import Backtest, Strategy


def average(closes, count):
    return pd.Series(closes).rolling(count).mean()


class SmaCross(Strategy):
    """Long one unit while the fast average is above the slow one."""

    def init(self):
        self.fast = self.I(average, self.data.Close, 10)
        self.slow = self.I(average, self.data.Close, 30)

    def next(self):
        up = self.fast[-1] > self.slow[-1]
        if up and not self.position:
            self.buy(size=1)
        elif not up and self.position:
            self.position.close()


def main() -> None:
    warnings.simplefilter("ignore")
    path = Path(sys.argv[1]) / "walk.csv"
    bars = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    bars = bars.rename(columns=str.capitalize)
    backtest = Backtest(
        bars, SmaCross, cash=1_000_000, commission=0.001, finalize_trades=False
    )
    began = time.perf_counter()
    result = backtest.run()
    took_s = time.perf_counter() - began
    figures = {
        "value": len(bars) / took_s,
        "trades": int(result["# Trades"]),
        "final_equity": round(float(result["Equity Final [$]"]), 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
