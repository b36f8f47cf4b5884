"""What a strategy declares that it needs is kept to."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast import BarData, Context, InputError, Strategy, backtest
from holdfast.testing import columns, flat, market, market_of
from holdfast_actors.strategy.calling import Growing, fires_of

seen: list[list[int]] = []


class Patient(Strategy):
    """Looks at slices once there are three bars of each instrument."""

    def initialize(self, context: Context) -> None:
        context.a, context.b = self.symbols("A", "B")
        self.needs(history=3)

    def handle_data(self, context: Context, data: BarData) -> None:
        counts = [
            len(data.history(each, "close", 9)) for each in (context.a, context.b)
        ]
        seen.append(counts)


def seen_by(strategy: type[Strategy], data: Any) -> list[list[int]]:
    seen.clear()
    backtest(strategy, data=data, capital=100)
    return seen


def test_no_slice_comes_before_each_instrument_has_the_bars_that_are_needed() -> None:
    whole = market(A=flat(1, 2, 3, 4, 5), B=flat(1, 2, 3, 4, 5))

    assert seen_by(Patient, whole) == [[3, 3], [4, 4], [5, 5]]


def test_an_instrument_that_comes_later_is_waited_for() -> None:
    late = market_of(
        columns("A", flat(1, 2, 3, 4, 5)), columns("B", flat(1, 2, 3), at=(1, 2, 4))
    )

    assert seen_by(Patient, late) == [[5, 3]]


LISTED = market_of(
    columns("A", flat(*range(1, 10))), columns("B", flat(1, 2), at=(6, 8))
)
"""The second one is listed when the first has been traded for a while."""


def test_an_instrument_that_is_listed_later_keeps_nobody_waiting() -> None:
    class Everything(Patient):
        def initialize(self, context: Context) -> None:
            context.a, context.b = self.symbols("A", "B")

    assert [a for a, _ in seen_by(Patient, LISTED)] == [3, 4, 5, 6, 7, 8, 9]
    assert [a for a, _ in seen_by(Everything, LISTED)] == [*range(1, 10)]


@pytest.mark.parametrize("history", range(1, 11))
def test_a_market_that_grows_is_waited_for_as_long(history: int) -> None:
    symbols = ["B", "A"]
    known = fires_of(LISTED, symbols, history)
    growing = Growing(LISTED, symbols, history)

    wanted = [known is None or bool(known[step]) for step in range(len(LISTED))]
    assert [bool(growing[step]) for step in range(len(LISTED))] == wanted


def test_what_is_never_there_is_never_looked_at() -> None:
    assert seen_by(Patient, market(A=flat(1, 2), B=flat(1, 2))) == []


@pytest.mark.parametrize("history", [0, -3, 2.5, "30"])
def test_a_history_that_is_no_number_of_bars_is_refused(history: Any) -> None:
    class Wrong(Patient):
        def initialize(self, context: Context) -> None:
            self.needs(history=history)

    with pytest.raises(InputError, match="1 bar or more"):
        backtest(Wrong, data=market(A=flat(1)), capital=100)


def test_what_is_needed_is_said_at_the_beginning() -> None:
    class Late(Patient):
        def handle_data(self, context: Context, data: BarData) -> None:
            self.needs(history=9)

    with pytest.raises(InputError, match="a call in initialize"):
        backtest(Late, data=market(A=flat(1, 2, 3, 4), B=flat(1, 2, 3, 4)), capital=100)
