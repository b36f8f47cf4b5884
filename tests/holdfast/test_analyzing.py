"""`analyze` is the last word of a strategy, in a backtest and on paper alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast import Strategy
from holdfast.backtest import backtest
from holdfast.paper import paper
from holdfast.testing import flat, market
from holdfast_domain.errors import InputError

seen: list[tuple[str, int, int]] = []
"""What was analyzed: by whom, its bars, and the fills of the run."""


class Counting(Strategy):
    """Buys one unit on each bar, and counts them."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol("A")
        context.bars = 0

    def handle_data(self, context: Any, data: Any) -> None:
        context.bars += 1
        self.order(context.asset, 1)

    def analyze(self, context: Any, results: Any) -> None:
        seen.append((type(self).__name__, context.bars, results.fills))


class Failing(Counting):
    def analyze(self, context: Any, results: Any) -> None:
        message = "no such figure"
        raise ValueError(message)


def test_backtest_and_paper_show_a_strategy_the_same_result(tmp_path: Path) -> None:
    data = market(A=flat(1, 2, 3, 4))
    seen.clear()

    backtest(Counting, data=data)
    paper(Counting, data=data, state=tmp_path)

    assert seen == [("Counting", 4, 3)] * 2


def test_a_run_that_had_ended_before_is_not_analyzed_again(tmp_path: Path) -> None:
    data = market(A=flat(1, 2, 3))
    paper(Counting, data=data, state=tmp_path)
    seen.clear()

    assert paper(Counting, data=data, state=tmp_path).fills == 2

    assert seen == []


def test_an_analyze_that_fails_is_its_authors_error(tmp_path: Path) -> None:
    data = market(A=flat(1, 2, 3))

    with pytest.raises(InputError, match=r"analyze of Failing .* no such figure"):
        backtest(Failing, data=data)
    with pytest.raises(InputError, match=r"analyze of Failing .* no such figure"):
        paper(Failing, data=data, state=tmp_path)
