"""Holdfast: SMA cross 10/30, long or flat, one unit, 0.1 % commission."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import holdfast
from holdfast import Strategy


class SmaCross(Strategy):
    """Long one unit while the fast average is above the slow one."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol("walk")
        self.needs(history=30)

    def handle_data(self, context: Any, data: Any) -> None:
        fast = data.mean(context.asset, "close", 10)
        slow = data.mean(context.asset, "close", 30)
        self.order_target(context.asset, 1 if fast > slow else 0)


def main() -> None:
    result = holdfast.backtest(
        SmaCross,
        data=Path(sys.argv[1]) / "walk.parquet",
        capital=1_000_000,
        commission=0.001,
        fill="next_open",
    )
    figures = {
        "value": result.bars_per_s,
        "fills": result.fills,
        "final_equity": str(result.final_equity),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
