"""A pair whose buys pay their commission out of what they bring, in a whole run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from holdfast.results.measure import RunResult

from .test_backtest_orders import QUIET, Act, bars, order, play

D = Decimal


def result_of(folder: Path, script: dict[int, Act], base: str = "AAA") -> RunResult:
    path = folder / "pairs.yaml"
    path.write_text(f"AAA: {{base: {base}, currency: USDT, lot: 0.1}}\n")
    rows = [QUIET, QUIET, QUIET, (20, 20, 20, 20), (20, 20, 20, 20)]
    _, result = play(
        bars(*rows), script, instruments=path, commission=0.015, capital=1_000
    )
    return result


def test_a_buy_brings_less_and_costs_no_more(tmp_path: Path) -> None:
    result = result_of(tmp_path, {1: order(10)})

    assert result.positions == {"AAA": D("9.85")}
    assert result.cash == D(900)
    assert result.commission == D("1.5")
    assert result.final_equity == D(900) + 20 * D("9.85")
    assert result.currency == "USDT"
    assert result.trades["fee"].to_list() == [1.5]


def test_all_lots_are_sold_and_a_part_of_one_stays(tmp_path: Path) -> None:
    script: dict[int, Act] = {
        1: order(10),
        3: lambda self, context, _: self.order_target(context.a, 0),
        4: lambda self, context, _: self.order_target_percent(context.a, 0),
    }
    result = result_of(tmp_path, script)

    assert result.positions == {"AAA": D("0.05")}
    sold = D("9.8") * 20
    assert result.cash == D(900) + sold - sold * D("0.015")
    assert result.fills == 2
    (trip,) = result.round_trips.to_dicts()
    assert trip["quantity"] == pytest.approx(9.8)
    # Of the fee of the entry, the part for what was sold; and the fee of the exit.
    fees = 1.5 * 9.8 / 9.85 + float(sold) * 0.015
    assert trip["fees"] == pytest.approx(fees)
    assert trip["profit_and_loss"] == pytest.approx(9.8 * 10 - fees)
