"""An engine at two venues: each has its own session, record, window and ids."""

from __future__ import annotations

from functools import cache

import pytest

from holdfast import BarData, Context, Strategy
from holdfast.options import RunOptions, read_options
from holdfast.testing import Faults, flat, market
from holdfast_actors.requests import Submit
from holdfast_actors.tree import ORDERS, session_path
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument

from .simulations import add, run

NEAR, FAR = session_path("paper"), session_path("far")


class Both(Strategy):
    """Buys and sells at both venues in turn."""

    def initialize(self, context: Context) -> None:
        context.near, context.far = self.symbols("AAA", "BBB")
        context.slices = 0

    def handle_data(self, context: Context, data: BarData) -> None:
        context.slices += 1
        sign = 1 if context.slices % 3 else -1
        self.order(context.near, sign * 2)
        self.order(context.far, sign * 3, limit_price=data.current(context.far) + 1)


@cache
def options() -> RunOptions:
    data = market(AAA=flat(*range(10, 22)), BBB=flat(*range(20, 32)))
    instruments = {
        "AAA": Instrument(symbol="AAA"),
        "BBB": Instrument(symbol="BBB", venue="far"),
    }
    return read_options(
        [Both], data=data, capital=100_000, commission="0.001", instruments=instruments
    )


def test_each_order_goes_to_its_instruments_venue() -> None:
    ran = run(options())

    intended = {e.order_id: e for e in ran.events(ev.OrderIntended)}
    assert {(e.terms.instrument, e.venue) for e in intended.values()} == {
        ("AAA", "paper"),
        ("BBB", "far"),
    }
    fills = [each.fill for each in ran.events(ev.OrderFilled)]
    assert {fill.instrument for fill in fills} == {"AAA", "BBB"}
    # Both venues count from one: an id says nothing without its venue.
    assert len({fill.execution_id for fill in fills}) < len(fills)
    assert ran.events(ev.OrderUnknown) == []


def test_what_was_bought_is_posted_against_its_venue() -> None:
    ran = run(options())

    balances = ran.engine.cells["engine/core/ledger"].actor.balances
    held = {(account, unit) for account, unit in balances if unit in ("AAA", "BBB")}
    assert ("venue/paper/position", "AAA") in held
    assert ("venue/far/position", "BBB") in held
    assert ("venue/paper/position", "BBB") not in held


@pytest.mark.parametrize("how", ["before", "after", "now"])
@pytest.mark.parametrize("path", [NEAR, FAR, ORDERS])
@pytest.mark.parametrize("nth", [3, 8])
def test_a_death_changes_nothing_at_either_venue(path: str, how: str, nth: int) -> None:
    faults = Faults()
    add(faults, how, path, nth)

    run(options(), faults, commit_s=0.01).expect_same_as(run(options(), commit_s=0.01))


def test_the_session_of_one_venue_dies_and_the_other_is_not_asked_anew() -> None:
    faults = Faults()
    add(faults, "after", FAR, 2, on=Submit)

    ran = run(options(), faults, commit_s=0.01)

    doubted = {each.order_id for each in ran.events(ev.OrderUnknown)}
    venues = {e.order_id: e.venue for e in ran.events(ev.OrderIntended)}
    assert {venues[order] for order in doubted} == {"far"}
