"""Instruments come from a file, or by default from the data."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from holdfast_adapters.data import instruments_for, load_bars, load_instruments
from holdfast_domain.errors import InputError
from holdfast_domain.instruments import Instrument

SAMPLE = Path(__file__).parents[3] / "examples" / "data"


def loaded(folder: Path, text: str) -> dict[str, Instrument]:
    path = folder / "instruments.yaml"
    path.write_text(text, encoding="utf-8")
    return load_instruments(path)


def test_a_file_configures_instruments_exactly_as_written(tmp_path: Path) -> None:
    text = """
SPY: {tick: 0.01, calendar: XNYS}
BTC-EUR:
  currency: EUR
  base: BTC
  lot: "0.00001"
  min_notional: 10
  multiplier: 1e-3
  calendar: null
ON: {}
700:
"""
    assert loaded(tmp_path, text) == {
        "SPY": Instrument(symbol="SPY", tick=Decimal("0.01"), calendar="XNYS"),
        "BTC-EUR": Instrument(
            symbol="BTC-EUR",
            currency="EUR",
            base="BTC",
            lot=Decimal("0.00001"),
            min_notional=Decimal(10),
            multiplier=Decimal("0.001"),
        ),
        "ON": Instrument(symbol="ON"),
        "700": Instrument(symbol="700"),
    }


@pytest.mark.parametrize(
    ("text", "line", "came"),
    [
        ("SPY: {tick: 0.01, ticks: 1}", 1, "got 'ticks'"),
        ("A: {}\nSPY:\n  tick: cheap", 3, "a number above 0, got 'cheap'"),
        ("SPY:\n  lot: 0", 2, "a number above 0, got '0'"),
        ("SPY:\n  lot: .inf", 2, "a number above 0, got '.inf'"),
        ("SPY:\n  min_notional: -1", 2, "a number of at least 0, got '-1'"),
        ("SPY:\n  tick: [1]", 2, "expected one value"),
        ("SPY:\n  currency: usd", 2, "a currency, got 'usd'"),
        ("SPY:\n  base: btc", 2, "a currency, got 'btc'"),
        ("A: {}\nSPY: {base: USD}", 2, "a base that is not the currency, USD, got USD"),
        ("SPY:\n\n  calendar: XNYX", 3, "a market calendar's name, got 'XNYX'"),
        ("SPY: {}\nSPY: {}", 2, "'SPY' again"),
        ("SPY: 5", 1, "settings of 'SPY'"),
        ("SPY: {\nA: [", 2, "expected YAML"),
        ("? [a]\n: b", 1, "a name as key"),
    ],
)
def test_a_mistake_is_named_by_its_line(
    tmp_path: Path, text: str, line: int, came: str
) -> None:
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, text)
    assert f"instruments.yaml, line {line}" in str(caught.value)
    assert came in str(caught.value)


@pytest.mark.parametrize("text", ["", "- SPY", "SPY", "\x00", "[" * 20_000])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        loaded(tmp_path, text)


def test_a_missing_file_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a YAML file"):
        load_instruments(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00SPY")
    with pytest.raises(InputError, match="a YAML file"):
        load_instruments(tmp_path / "bytes.yaml")


def test_what_is_not_configured_is_taken_from_the_data() -> None:
    data = load_bars(SAMPLE, start="2013-01-01")
    own = Instrument(symbol="IBM", tick=Decimal("0.01"))
    whole = instruments_for(data, {"IBM": own, "QQQ": own}, fractional=False)
    assert list(whole) == ["AAPL", "GOOG", "IBM", "MSFT"]
    assert whole["IBM"] is own
    assert whole["AAPL"] == Instrument(symbol="AAPL")
    parts = instruments_for(data, {"IBM": own}, fractional=True)
    assert parts["IBM"].lot == 1
    assert parts["AAPL"].lot == Decimal("0.00000001")
