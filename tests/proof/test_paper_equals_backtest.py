"""One strategy, two engines: backtest and paper give the same journal, to the cent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.backtest import finish, simulate
from holdfast.options import RunOptions, read_options
from holdfast.testing.outcome import domain_records
from holdfast_adapters.statedir import StateDir
from holdfast_domain.events import OrderFilled, OrderRefused as Refused
from holdfast_domain.instruments import Instrument

from .comparing import complaints, read
from .running import BOUND, DATA, EXAMPLES, RESTLESS, run_on_paper

SMA = EXAMPLES / "strategies" / "sma_cross.py"
HOLD = EXAMPLES / "strategies" / "buy_and_hold.py"
BALANCE = EXAMPLES / "strategies" / "rebalance.py"
DIP = EXAMPLES / "strategies" / "bracket.py"

CASES: dict[str, tuple[tuple[Path, ...], str]] = {
    "sma cross": ((SMA,), "100000"),
    "buy and hold": ((HOLD,), "100000"),
    "siblings with little cash": ((SMA, BALANCE), "900"),
    "all kinds of orders": ((RESTLESS, SMA), "20000"),
    "order lists": ((DIP, BOUND), "20000"),
}
TWO_VENUES = {
    "IBM": Instrument(symbol="IBM", venue="exchange"),
    "MSFT": Instrument(symbol="MSFT"),
}
DAYS_PER_S = 86_400.0


def options_of(case: str, **more: Any) -> RunOptions:
    files, capital = CASES[case]
    return read_options(
        [str(file) for file in files],
        data=DATA,
        capital=capital,
        commission="0.001",
        params={"invested": "1.0"} if case == "siblings with little cash" else None,
        **more,
    )


@pytest.mark.parametrize("fill", ["next_open", "this_close", "next_close"])
@pytest.mark.parametrize("case", CASES)
def test_a_paper_run_leaves_the_journal_of_the_backtest(
    case: str, fill: str, tmp_path: Path
) -> None:
    options = options_of(case, start="2004-06-01", end="2005-06-01", fill=fill)
    simulation = simulate(options)
    expected = finish(options, simulation)

    actual = run_on_paper(options, tmp_path)

    entries = read(tmp_path / "journal.sqlite")
    assert domain_records(simulation.entries) == domain_records(entries)
    assert expected.final_equity == actual.final_equity
    assert complaints(tmp_path) == []


def test_a_run_at_two_venues_keeps_a_record_of_each(tmp_path: Path) -> None:
    options = options_of(
        "all kinds of orders",
        start="2004-06-01",
        end="2004-12-01",
        instruments=TWO_VENUES,
    )
    simulation = simulate(options)

    run_on_paper(options, tmp_path)

    entries = read(tmp_path / "journal.sqlite")
    assert domain_records(simulation.entries) == domain_records(entries)
    assert list(StateDir(tmp_path).venues()) == ["exchange", "paper"]
    assert complaints(tmp_path) == []


@pytest.mark.parametrize("case", ["sma cross", "buy and hold"])
def test_fourteen_years_of_paper_equal_the_backtest(case: str, tmp_path: Path) -> None:
    options = options_of(case)
    simulation = simulate(options)
    expected = finish(options, simulation)

    actual = run_on_paper(options, tmp_path)

    entries = read(tmp_path / "journal.sqlite")
    assert domain_records(simulation.entries) == domain_records(entries)
    assert _figures(expected) == _figures(actual)


@pytest.mark.parametrize("days_per_s", [400.0, 2_000.0, 50_000.0])
def test_the_speed_of_a_replay_changes_nothing(
    days_per_s: float, tmp_path: Path
) -> None:
    case = "siblings with little cash"
    options = options_of(case, start="2004-06-01", end="2005-06-01")
    simulation = simulate(options)
    expected = finish(options, simulation)

    actual = run_on_paper(options, tmp_path, speed=days_per_s * DAYS_PER_S)

    entries = read(tmp_path / "journal.sqlite")
    assert domain_records(simulation.entries) == domain_records(entries)
    assert _figures(expected) == _figures(actual)


def test_little_cash_is_refused_and_shared_alike() -> None:
    """The case above is worth something only if cash does run out."""
    case = "siblings with little cash"
    options = options_of(case, start="2004-06-01", end="2005-06-01")
    events = [entry.event for entry in simulate(options).entries]

    assert any("not enough cash" in e.reason for e in events if isinstance(e, Refused))
    assert {"SmaCross", "Rebalance"} == {
        event.fill.strategy for event in events if isinstance(event, OrderFilled)
    }


def _figures(result: Any) -> str:
    figures = result.to_json()
    figures.pop("bars_per_s")
    for each in figures["strategies"].values():
        each.pop("bars_per_s")
    return json.dumps(figures, sort_keys=True)
