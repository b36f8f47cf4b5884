"""The options that a backtest and a run on paper share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from holdfast.options import Market, RunOptions, read_market, read_options
from holdfast_domain.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])

# All are texts: `read_options` converts them, and words its refusals itself.
_MARKET = (
    click.option(
        "--data",
        required=True,
        metavar="PATH",
        help="CSV or Parquet file, or a folder of them, with the columns timestamp "
        "(the bar's end), open, high, low, close, volume and, if need be, symbol.",
    ),
    click.option(
        "--capital",
        default="100000",
        show_default=True,
        metavar="MONEY",
        help="What all strategies together begin with, in equal shares.",
    ),
    click.option("--start", metavar="TIME", help="Leave out what is before."),
    click.option("--end", metavar="TIME", help="Leave out what is after."),
    click.option(
        "--tz", metavar="ZONE", help="Of naive time stamps, such as America/New_York."
    ),
    click.option(
        "--commission",
        default="0",
        show_default=True,
        metavar="RATE",
        help="Fraction of the notional; 0.001 is 10 bps.",
    ),
    click.option(
        "--slippage-bps", default="0", show_default=True, metavar="N", help="In bps."
    ),
    click.option(
        "--fill",
        default="next_open",
        show_default=True,
        metavar="MODEL",
        help="Where orders fill: next_open, this_close or next_close.",
    ),
    click.option(
        "--fractional", is_flag=True, help="Trade parts of a unit; else whole units."
    ),
    click.option(
        "--instruments",
        metavar="FILE.yaml",
        help="Ticks, lots, currencies and calendars, where the defaults are wrong.",
    ),
)  # fmt: skip
_SHARED = (
    click.argument("files", nargs=-1, required=True, metavar="FILE.py[:Class]..."),
    *_MARKET,
    click.option(
        "--param",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a parameter of the strategies; may be repeated.",
    ),
    click.option(
        "--report", metavar="DIR", help="Where the HTML report goes, if not to the "
        "folder of the run's record."
    ),
    click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object, and no more."
    ),
)  # fmt: skip


def run_options(command: F) -> F:
    """Add the options of a run to ``command``, in the order of the help text."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


def market_options(command: F) -> F:
    """Add the options of a venue on paper, which are among those of a run."""
    for option in reversed(_MARKET):
        command = option(command)
    return command


def market_of(given: Mapping[str, Any]) -> Market:
    """Return the market that the command line describes, loaded and checked.

    Raises:
        InputError: in one line, what is wrong.
    """
    return read_market(**_market(given))


def _market(given: Mapping[str, Any]) -> dict[str, Any]:
    names = ("data", "capital", "start", "end", "tz", "commission", "slippage_bps")
    return {name: given[name] for name in (*names, "fill", "fractional", "instruments")}


def options_of(files: Sequence[str], given: Mapping[str, Any]) -> RunOptions:
    """Return the run that the command line describes, all loaded and checked.

    Raises:
        InputError: in one line, what is wrong.
    """
    return read_options(files, params=_params(given["param"]), **_market(given))


def _params(texts: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(
                "--param", "NAME=VALUE", repr(text), "such as --param window=30"
            )
        if name in values:
            raise InputError(f"--param {name}", "one value", "two", "give it only once")
        values[name] = value
    return values


def whole_number(where: str, text: str, least: int) -> int:
    """Return the whole number that ``text`` is.

    Raises:
        InputError: it is none, or below ``least``.
    """
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        expected = f"a whole number of at least {least}"
        raise InputError(where, expected, repr(text), f"such as {where} {least + 1}")
    return int(text)
