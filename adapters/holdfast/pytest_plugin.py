"""The plugin for pytest: a whole simulated trading system as a fixture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from holdfast.testing import TradingSystem


@pytest.fixture
def holdfast_trading(holdfast_seed: int) -> Callable[..., TradingSystem]:
    """Make trading systems: ``holdfast_trading(MyStrategy, data=DATA, capital=…)``.

    It takes what `holdfast.backtest` takes, and ``commit_s``, ``limits`` and
    ``slices_max`` of `holdfast.testing.TradingSystem`. The schedule is that of
    ``holdfast_seed``.
    """
    # Imported on use: most tests of those who have installed it do not trade.
    from holdfast.options import read_options  # noqa: PLC0415
    from holdfast.testing import TradingSystem  # noqa: PLC0415

    def make(
        strategies: Any,  # noqa: ANN401 - as `backtest` takes them
        *,
        commit_s: float = 0.0,
        limits: Any = None,  # noqa: ANN401 - `Limits`
        slices_max: int = 1,
        **options: Any,  # noqa: ANN401 - of `backtest`
    ) -> TradingSystem:
        return TradingSystem(
            read_options(strategies, **options),
            seed=holdfast_seed,
            commit_s=commit_s,
            limits=limits,
            slices_max=slices_max,
        )

    return make
