"""A market without a world: prices that walk at random, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random  # noqa: TID251 - who composes seeds it
from typing import Final, Protocol

STEP_BPS: Final = 2
"""The most by which a price moves from trade to trade, in hundredths of a percent."""


class Stepped(Protocol):
    """What has a step of prices, and one of quantities."""

    @property
    def tick(self) -> Decimal:
        """Of prices."""

    @property
    def lot(self) -> Decimal:
        """Of quantities."""


def walk(
    symbol: Stepped, price: Decimal, random: Random
) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield prices on the tick, and how much is traded at each; it never ends."""
    while True:
        lots = random.randint(1, 100_000)
        yield price, lots * symbol.lot
        by = price * random.randint(-STEP_BPS * 100, STEP_BPS * 100) / 1_000_000
        steps = ((price + by) / symbol.tick).to_integral_value()
        price = max(symbol.tick, steps * symbol.tick)
