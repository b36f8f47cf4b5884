"""A market without a world: prices that walk at random, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random  # noqa: TID251 - who composes seeds it
from typing import Final

from holdfast_adapters.simulators.binance.model import SimSymbol

STEP_BPS: Final = 2
"""The most by which a price moves from trade to trade, in hundredths of a percent."""


def walk(
    symbol: SimSymbol, price: Decimal, random: Random
) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield prices on the tick, and how much is traded at each; it never ends."""
    while True:
        lots = random.randint(1, 100_000)
        yield price, lots * symbol.lot
        by = price * random.randint(-STEP_BPS * 100, STEP_BPS * 100) / 1_000_000
        price = max(symbol.tick, (price + by) // symbol.tick * symbol.tick)
