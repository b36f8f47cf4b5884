"""NautilusTrader: SMA cross 10/30 on each of 20 instruments, one strategy for each.

As `nautilus_sma`: its own Cython indicators, logging off, no throttle on orders, and
making the bars is not timed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from nautilus_common import VENUE, instrument
from nautilus_sma import SmaCross, bars_of, engine_of
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import BarType


def main() -> None:
    loaded = []
    for path in sorted((Path(sys.argv[1]) / "several_csv").glob("*.csv")):
        pair = instrument(f"{path.stem.upper()}USDT")
        bar_type = BarType.from_str(f"{pair.id}-1-MINUTE-LAST-EXTERNAL")
        loaded.append((pair, bars_of(path, bar_type), SmaCross(pair, bar_type)))
    engine = engine_of(loaded)
    count = sum(len(bars) for _, bars, _ in loaded)
    strategies = [strategy for _, _, strategy in loaded]
    began = time.perf_counter()
    engine.run()
    took_s = time.perf_counter() - began
    if (seen := sum(each.bars for each in strategies)) != count:
        sys.exit(f"the strategies saw {seen} of {count} bars")
    balance = engine.cache.account_for_venue(VENUE).balance_total(USDT)
    figures = {
        "value": count / took_s,
        "fills": sum(each.fills for each in strategies),
        "final_cash": float(balance.as_decimal()),
    }
    print(json.dumps(figures))
    engine.dispose()


if __name__ == "__main__":
    main()
