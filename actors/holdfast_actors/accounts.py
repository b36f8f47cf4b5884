"""One strategy's account, as the guard counts it."""

from __future__ import annotations

from decimal import Decimal

import attrs

from holdfast_domain.events import StrategyForked
from holdfast_domain.money import ZERO


@attrs.define
class Account:
    """One strategy's cash and positions, as the guard counts them."""

    cash: Decimal = ZERO
    positions: dict[str, Decimal] = attrs.field(factory=dict)
    reserved: Decimal = ZERO

    def hold(self, instrument: str, units: Decimal) -> None:
        """Move ``units`` (signed) into the position."""
        self.positions[instrument] = self.positions.get(instrument, ZERO) + units

    def fork(self, event: StrategyForked) -> None:
        """Have what was held by the strategy from which this one was forked."""
        self.cash = event.cash.amount
        for each in event.positions:
            self.hold(each.instrument, each.amount)
