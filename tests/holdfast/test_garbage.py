"""The process that a run is in is afterwards as it was before."""

from __future__ import annotations

import contextlib
import gc

import pytest

from holdfast import BarData, Context, InputError, Strategy, backtest
from holdfast.testing import flat, market


class Quiet(Strategy):
    """Does nothing."""

    def initialize(self, context: Context) -> None:
        """Nothing is kept."""

    def handle_data(self, context: Context, data: BarData) -> None:
        """Do nothing."""


class Failing(Quiet):
    def handle_data(self, context: Context, data: BarData) -> None:
        message = "on purpose"
        raise ValueError(message)


@pytest.mark.parametrize("frozen", [False, True], ids=["as usual", "frozen"])
@pytest.mark.parametrize("strategy", [Quiet, Failing])
def test_a_run_leaves_the_garbage_collector_as_it_was(
    strategy: type[Strategy], *, frozen: bool
) -> None:
    if frozen:
        gc.freeze()
    before = gc.get_threshold(), bool(gc.get_freeze_count())
    try:
        with contextlib.suppress(InputError):
            backtest(strategy, data=market(A=flat(10, 10)))
        assert (gc.get_threshold(), bool(gc.get_freeze_count())) == before
    finally:
        gc.unfreeze()
