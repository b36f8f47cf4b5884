"""What a run is made of is checked before anything runs."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast import InputError, Strategy, param
from holdfast.options import read_options
from holdfast.testing import flat, market
from holdfast_adapters.matching import FillAt

DATA = market(AAA=flat(1, 2, 3))
SAMPLES = Path(__file__).parents[2] / "examples" / "data"


class Quiet(Strategy):
    window = param(3)

    def initialize(self, context: object) -> None: ...

    def handle_data(self, context: object, data: object) -> None: ...


class Other(Quiet):
    speed = param(1.0)


def test_without_more_a_run_has_its_defaults() -> None:
    options = read_options(Quiet, data=DATA)

    assert options.names == ("Quiet",)
    assert options.capital == 100_000
    assert options.params == ({},)
    assert options.model.fill is FillAt.NEXT_OPEN
    assert options.model.commission == options.model.slippage_bps == 0
    assert list(options.instruments) == ["AAA"]
    assert options.instruments["AAA"].lot == 1


def test_numbers_are_read_as_their_author_wrote_them() -> None:
    options = read_options(
        Quiet, data=DATA, capital="1000.50", commission=0.001, slippage_bps="2.5"
    )

    assert options.capital == Decimal("1000.50")
    assert options.model.commission == Decimal("0.001")
    assert options.model.slippage_bps == Decimal("2.5")


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"capital": 0}, "capital"),
        ({"capital": -1}, "capital"),
        ({"capital": "much"}, "capital"),
        ({"capital": float("nan")}, "capital"),
        ({"commission": -0.1}, "commission"),
        ({"commission": 1}, "commission"),
        ({"commission": "10%"}, "commission"),
        ({"slippage_bps": -1}, "slippage-bps"),
        ({"fill": "never"}, "fill"),
        ({"params": {"depth": 1}}, "--param depth"),
        ({"data": "nowhere.csv"}, "nowhere.csv"),
        ({"instruments": "nowhere.yaml"}, "nowhere.yaml"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_in_one_line(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as refused:
        read_options(Quiet, **{"data": DATA, **wrong})

    said = str(refused.value)
    assert said.startswith(f"{where}: expected ")
    assert "\n" not in said


def test_a_run_has_a_strategy() -> None:
    with pytest.raises(InputError, match="strategies: expected at least one"):
        read_options([], data=DATA)


def test_strategies_of_one_name_get_numbers() -> None:
    options = read_options([Quiet, Other, Quiet, Quiet], data=DATA)

    assert options.names == ("Quiet", "Other", "Quiet-2", "Quiet-3")


@pytest.mark.parametrize(
    ("capital", "count", "shares"),
    [
        (100, 1, ["100"]),
        (100, 3, ["33.34", "33.33", "33.33"]),
        ("0.05", 2, ["0.03", "0.02"]),
        ("10.001", 2, ["5.001", "5.00"]),
    ],
)
def test_capital_is_shared_equally_and_the_first_gets_the_rest(
    capital: Any, count: int, shares: list[str]
) -> None:
    options = read_options([Quiet] * count, data=DATA, capital=capital)

    assert options.shares() == [Decimal(each) for each in shares]
    assert sum(options.shares()) == options.capital


def test_parameters_go_to_those_that_declare_them() -> None:
    options = read_options(
        [Quiet, Other], data=DATA, params={"window": "9", "speed": 2}
    )

    assert options.params == ({"window": 9}, {"window": 9, "speed": 2})


def test_the_identity_tells_two_runs_apart() -> None:
    base = read_options(Quiet, data=DATA).identity()

    assert read_options(Quiet, data=DATA).identity() == base
    for other in (
        read_options(Other, data=DATA),
        read_options([Quiet, Quiet], data=DATA),
        read_options(Quiet, data=DATA, capital=1),
        read_options(Quiet, data=DATA, commission="0.1"),
        read_options(Quiet, data=DATA, fill="this_close"),
        read_options(Quiet, data=DATA, params={"window": 4}),
        read_options(Quiet, data=DATA, fractional=True),
    ):
        assert other.identity() != base
    assert json.loads(base)["capital"] == "100000"


def test_data_is_read_from_files_within_a_span() -> None:
    whole = read_options(Quiet, data=SAMPLES / "AAPL.parquet")
    part = read_options(
        Quiet, data=SAMPLES / "AAPL.parquet", start="2010-01-01", end="2010-12-31"
    )

    assert list(whole.instruments) == ["AAPL"]
    assert 200 < part.data.bars < 300 < whole.data.bars
    assert part.data.digest != whole.data.digest
