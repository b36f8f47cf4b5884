"""Holdfast: SMA cross 10/30 on each of 20 instruments, one unit, 0.1 % commission."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import holdfast
from holdfast import Strategy


class SmaCrosses(Strategy):
    """Long one unit of each whose fast average is above its slow one."""

    def initialize(self, context: Any) -> None:
        context.assets = self.symbols()
        self.needs(history=30)

    def handle_data(self, context: Any, data: Any) -> None:
        for asset in context.assets:
            fast = data.mean(asset, "close", 10)
            slow = data.mean(asset, "close", 30)
            self.order_target(asset, 1 if fast > slow else 0)


def main() -> None:
    result = holdfast.backtest(
        SmaCrosses,
        data=Path(sys.argv[1]) / "several",
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
