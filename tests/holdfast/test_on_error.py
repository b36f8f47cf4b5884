"""A strategy is told of what it raises."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast import InputError, Strategy, backtest
from holdfast.testing import flat, market


class Complaining(Strategy):
    """Raises on its third bar, and hears of it."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol("A")
        context.bars = 0

    def handle_data(self, context: Any, data: Any) -> None:
        context.bars += 1
        if context.bars == 3:
            raise LookupError("no such thing") from KeyError("inner")

    def on_error(self, context: Any, error: Exception) -> None:
        heard.append((context.bars, repr(error)))


heard: list[tuple[int, str]] = []


def test_a_strategy_hears_of_its_error_before_it_crashes() -> None:
    heard.clear()

    with pytest.raises(InputError, match="LookupError: no such thing"):
        backtest(Complaining, data=market(A=flat(1, 1, 1, 1, 1)))

    assert heard == [(3, "LookupError('no such thing')")]
