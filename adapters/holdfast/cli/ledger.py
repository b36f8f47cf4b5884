"""``holdfast ledger``: the books, as they are or as they were."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from holdfast.cli.output import show_json, show_line
from holdfast.cli.sharing import whole_number
from holdfast.compose import VENUE
from holdfast.listing import kept_listing
from holdfast_actors.books import Books, SubLedger, books_as_of
from holdfast_adapters.data.instruments import AnyInstrument, load_instruments
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError
from holdfast_domain.instruments import Instrument

METHODS = {"average": "average cost", "fifo": "first in, first out"}


@click.command(epilog="Example: holdfast ledger runs/sma --as-of 1041 --json")
@click.argument("directory", metavar="DIR")
@click.option("--as-of", metavar="N", help="After the record N; else after the last.")
@click.option(
    "--method",
    default="average",
    show_default=True,
    metavar="average|fifo",
    help="How realised profit is counted.",
)
@click.option(
    "--instruments", metavar="FILE.yaml", help="That of the run, if it had one."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def ledger(
    directory: str,
    as_of: str | None,
    method: str,
    instruments: str | None,
    as_json: bool,
) -> int:
    """Show cash, positions, fees and realised profit, from the journal in DIR alone.

    An engine may be running on it. Realised profit is without fees, in the currency
    of the instrument. The JSON has every account's balance too.
    """
    if method not in METHODS:
        raise InputError("--method", " or ".join(METHODS), repr(method))
    state = StateDir.at(Path(directory))
    known = kept_listing(state)
    if instruments is not None:
        known |= load_instruments(Path(instruments))
    store = SqliteJournal(state.journal, 0, read_only=True)
    with contextlib.closing(store):
        last = store.last_sequence
        at = last if as_of is None else whole_number("--as-of", as_of, 0)
        if at > last:
            came = f"{at}, and the last one is {last}"
            raise InputError("--as-of", "a record of the journal", came)
        books = books_as_of(store.read(), at, AnyInstrument(known), VENUE)
    shown = _plain(books, at, method, AnyInstrument(known))
    if as_json:
        show_json(shown)
    else:
        _print(shown)
    return 0


def _plain(
    books: Books, at: int, method: str, instruments: Mapping[str, Instrument]
) -> dict[str, Any]:
    return {
        "as_of": at,
        "method": METHODS[method],
        "strategies": {
            name: _strategy(part, method, instruments)
            for name, part in books.sub_ledgers().items()
        },
        "balances": [
            {"account": account, "unit": unit, "amount": str(amount)}
            for (account, unit), amount in sorted(books.balances.items())
        ],
    }


def _strategy(
    part: SubLedger, method: str, instruments: Mapping[str, Instrument]
) -> dict[str, Any]:
    return {
        "cash": _texts(part.cash),
        "capital": _texts(part.capital),
        "fees": _texts(part.fees),
        "positions": {
            symbol: _position(part, symbol, method, instruments[symbol])
            for symbol in part.positions
        },
    }


def _position(
    part: SubLedger, symbol: str, method: str, instrument: Instrument
) -> dict[str, Any]:
    held, lots = part.positions[symbol], part.lots[symbol]
    realised, cost = held.realised, held.cost_basis
    if method == "fifo":
        realised = part.lots_realised[symbol]
        paid = sum((lot.units * lot.price for lot in lots), Decimal(0))
        cost = paid / held.amount if held.amount else Decimal(0)
    return {
        "amount": str(held.amount),
        "cost_basis": str(cost),
        "realised": str(realised * instrument.multiplier),
        "currency": instrument.currency,
        "lots": [[str(lot.units), str(lot.price)] for lot in lots],
    }


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {unit: str(amount) for unit, amount in amounts.items()}


def _print(shown: dict[str, Any]) -> None:
    show_line(f"as of record {shown['as_of']}; realised by {shown['method']}")
    for name, part in shown["strategies"].items():
        show_line(name)
        for what in ("cash", "fees"):
            amounts = [f"{amount} {unit}" for unit, amount in part[what].items()]
            show_line(f"  {what:<9} {', '.join(amounts) or '0'}")
        for symbol, held in part["positions"].items():
            show_line(
                f"  {symbol:<9} {held['amount']} at {held['cost_basis']}, "
                f"realised {held['realised']} {held['currency']}"
            )
