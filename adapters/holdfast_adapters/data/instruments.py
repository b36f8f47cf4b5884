"""What is traded: instruments from a YAML file, or by default from the data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import yaml

from holdfast_adapters.calendars.names import calendar_names
from holdfast_adapters.data.refusals import listed, shown
from holdfast_adapters.data.yamlfile import at, is_null, items_of, root_of
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import to_decimal

FRACTION = Decimal("0.00000001")
"""The lot of an instrument that is traded in fractions."""

KEYS = (
    "currency",
    "base",
    "tick",
    "lot",
    "min_notional",
    "multiplier",
    "calendar",
    "venue",
)
_CURRENCY = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,15}")
_VENUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


class AnyInstrument(dict[str, Instrument]):
    """Those that are known; any other is one share for one unit, in US dollars."""

    def __missing__(self, symbol: str) -> Instrument:
        return Instrument(symbol=symbol)


def instruments_for(
    data: MarketData, configured: Mapping[str, Instrument], *, fractional: bool
) -> dict[str, Instrument]:
    """Return the instrument of each symbol of ``data``, in its order.

    One that is not ``configured`` is in US dollars, without tick or calendar, and in
    whole units, or in units of `FRACTION` if ``fractional``.
    """
    lot = FRACTION if fractional else Decimal(1)
    return {
        symbol: configured.get(symbol) or Instrument(symbol=symbol, lot=lot)
        for symbol in data.symbols
    }


def load_instruments(path: Path) -> dict[str, Instrument]:
    """Return the instruments in a YAML file: a mapping from symbol to `KEYS`.

    Raises:
        InputError: the file, a key or a value is wrong; it names the line.
    """
    root = root_of(path)
    if not isinstance(root, yaml.MappingNode):
        todo = "write 'SPY: {tick: 0.01, calendar: XNYS}'"
        raise InputError(str(path), "a mapping from symbol to settings", "none", todo)
    return {
        symbol: _instrument(symbol, node, path)
        for symbol, _, node in items_of(root, path)
    }


def _instrument(symbol: str, node: yaml.Node, path: Path) -> Instrument:
    if is_null(node):
        return Instrument(symbol=symbol)
    if not isinstance(node, yaml.MappingNode):
        expected = f"settings of {shown(symbol)}: {', '.join(KEYS)}"
        todo = "write them as a mapping"
        raise InputError(at(path, node), expected, "something else", todo)
    values: dict[str, str] = {}
    for name, key, value in items_of(node, path):
        if name not in KEYS:
            expected = f"one of {', '.join(KEYS)}"
            raise InputError(at(path, key), expected, shown(name), "drop or rename it")
        if not is_null(value):
            values[name] = _checked(name, value, path)
    made = _built(symbol, values)
    if made.base == made.currency:
        expected = f"a base that is not the currency, {made.currency}"
        todo = "name the asset that a unit is, such as BTC"
        raise InputError(f"{at(path, node)}, base", expected, made.base, todo)
    return made


def _checked(name: str, node: yaml.Node, path: Path) -> str:
    """Return the text of a legal value."""
    where = f"{at(path, node)}, {name}"
    if not isinstance(node, yaml.ScalarNode):
        raise InputError(where, "one value", "several", "write one value")
    text = str(node.value)
    if name in {"currency", "base"}:
        if not _CURRENCY.fullmatch(text):
            raise InputError(where, "a currency", shown(text), "write it as USD")
    elif name == "venue":
        if not _VENUE.fullmatch(text):
            expected = "a venue's name of letters, digits, '.', '_' and '-'"
            raise InputError(where, expected, shown(text), "rename it")
    elif name == "calendar":
        _check_calendar(where, text)
    else:
        _check_number(where, name, text)
    return text


def _check_calendar(where: str, text: str) -> None:
    known = calendar_names()
    if known and text not in known:
        near = [name for name in sorted(known) if text.upper() in name.upper()]
        some = listed(near or ["XNYS", "XNAS", "XLON", "XTKS", "24/7"], limit=5)
        todo = f"write one such as {some}"
        raise InputError(where, "a market calendar's name", shown(text), todo)


def _check_number(where: str, name: str, text: str) -> None:
    expected = (
        "a number of at least 0" if name == "min_notional" else "a number above 0"
    )
    try:
        number = to_decimal(text)
    except DomainError as error:
        raise InputError(where, expected, shown(text), "correct it") from error
    if number < 0 or (number == 0 and name != "min_notional"):
        raise InputError(where, expected, shown(text), "correct it")


def _built(symbol: str, values: Mapping[str, str]) -> Instrument:
    def number(name: str, otherwise: str) -> Decimal:
        return to_decimal(values.get(name, otherwise))

    return Instrument(
        symbol=symbol,
        currency=values.get("currency", "USD"),
        base=values.get("base", ""),
        tick=to_decimal(values["tick"]) if "tick" in values else None,
        lot=number("lot", "1"),
        min_notional=number("min_notional", "0"),
        multiplier=number("multiplier", "1"),
        calendar=values.get("calendar"),
        venue=values.get("venue", ""),
    )
