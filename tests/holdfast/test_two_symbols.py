"""Two symbols of one exchange, whose trades have the same numbers."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path

import pytest

from holdfast_adapters.auditor import audit
from holdfast_adapters.simulators.binance import SimSymbol
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .live_desk import desk, live_config

ORDERS = 6
SYMBOLS = (SimSymbol(), SimSymbol(name="ETHUSDT", base="ETH"))

BUYS = """\
from holdfast import Strategy, param


class Buys(Strategy):
    symbol_name = param("BTCUSDT")

    def initialize(self, context):
        self.asset = self.symbol(self.symbol_name)
        context.bars = 0

    def handle_data(self, context, data):
        context.bars += 1
        if context.bars % 5 == 0 and context.bars <= 30:
            self.order(self.asset, "0.01")
"""


def two_symbols(folder: Path, *, futures: bool) -> Path:
    """A configuration in which each of two siblings trades a symbol of its own."""
    (folder / "buys.py").write_text(BUYS)
    path = live_config(folder)
    text = path.read_text()
    for word, window, symbol in (("fast", 2, "BTCUSDT"), ("slow", 5, "ETHUSDT")):
        old = f"name: {word}\n    params: {{symbol_name: BTCUSDT, window: {window}}}"
        assert old in text
        text = text.replace(old, f"name: {word}\n    params: {{symbol_name: {symbol}}}")
    lines = [
        "  - class: buys.py" if line.endswith("breakout.py") else line
        for line in text.splitlines()
    ]
    text = "\n".join(lines).replace("symbols: [BTCUSDT]", "symbols: [BTCUSDT, ETHUSDT]")
    if futures:
        text = text.replace("adapter: binance", "adapter: binance_futures")
    path.write_text(text)
    return path


def numbers(entries: list[ev.Entry]) -> dict[str, list[str]]:
    """The venue's numbers of the trades that were booked, by symbol."""
    found = defaultdict[str, list[str]](list)
    for entry in entries:
        if isinstance(entry.event, ev.OrderFilled):
            symbol, _, number = entry.event.fill.execution_id.partition("-")
            found[symbol].append(number)
    return found


def booked(least: int, entries: list[ev.Entry]) -> bool:
    found = numbers(entries)
    return all(len(found[each.name]) >= least for each in SYMBOLS)


@pytest.mark.parametrize("futures", [False, True])
async def test_trades_of_two_symbols_have_the_same_numbers_and_are_all_booked(
    futures: bool, tmp_path: Path
) -> None:
    path = two_symbols(tmp_path, futures=futures)
    async with desk(tmp_path / "state", futures=futures, symbols=SYMBOLS) as here:
        # The second start asks for what was traded, and hears of it again.
        for least in (2, ORDERS):
            await here.run(path, partial(booked, least))
        report = audit(
            StateDir(here.state).journal,
            {"binance": here.state.with_suffix(".sqlite")},
        )
        assert [line for check in report.checks for line in check.findings] == []
        found = numbers(here.entries())
    for each in SYMBOLS:
        assert sorted(map(int, found[each.name])) == list(range(1, ORDERS + 1))
